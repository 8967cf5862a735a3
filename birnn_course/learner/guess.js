// A guess: one tap, or one slider. It can be changed, and it can be left alone.
function render({ model, el }) {
  const id = unique();
  const status = make("p", { className: "birnn-sentence" });
  status.setAttribute("role", "status");
  const unit = model.get("unit");
  const written = (value) => (typeof value === "number" ? `${value} ${unit}`.trimEnd() : value);
  const tell = () => {
    const value = model.get("value");
    status.textContent = value === null ? "" : `Your guess: ${written(value)}. Go on and see.`;
  };
  const set = (value) => {
    model.set("value", value);
    model.save_changes();
    tell();
  };
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  let control;
  if (model.get("choices").length) {
    control = make("div", { className: "bg-choices" }, ...model.get("choices").map((choice) => {
      const input = make("input", {
        type: "radio", name: id, value: choice, checked: model.get("value") === choice,
      });
      input.addEventListener("change", () => set(choice));
      return make("label", {}, input, make("span", { textContent: choice }));
    }));
    control.setAttribute("role", "radiogroup");
  } else {
    const [low, high] = model.get("scale");
    const step = (high - low) / 100;
    const shown = make("span", { className: "bg-value", textContent: "?" });
    const slider = make("input", { type: "range", min: low, max: high, step, value: model.get("value") ?? (low + high) / 2 });
    const show = () => {
      shown.textContent = written(slider.valueAsNumber);
      slider.setAttribute("aria-valuetext", shown.textContent);
    };
    if (model.get("value") !== null) show();
    slider.addEventListener("input", show);
    slider.addEventListener("change", () => { show(); set(slider.valueAsNumber); });
    slider.setAttribute("aria-label", model.get("heading"));
    control = make("div", { className: "bg-line" },
      make("span", { textContent: written(low) }), slider, make("span", { textContent: written(high) }), shown);
  }
  const root = frame("bg", heading, control, status);
  if (control.getAttribute("role")) control.setAttribute("aria-labelledby", heading.id);
  tell();
  el.append(root);
}
