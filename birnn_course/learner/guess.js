// A guess: one tap, one slider, or one curve. It can be changed, and it can be left alone.
const told = "birnn-guess"; // results on the same page listen to it

// One of a few answers, each with its curve above it if it has one.
function choosing(model, id, first, set) {
  const curves = model.get("curves");
  const every = Object.values(curves).flat();
  const [least, most] = [Math.min(...every), Math.max(...every)];
  const node = make("div", { className: "bg-choices" }, ...model.get("choices").map((choice) => {
    const input = make("input", {
      type: "radio", name: id, value: choice, checked: first === choice,
    });
    input.addEventListener("change", () => set(choice));
    const shown = make("span", {}, choice);
    const heights = curves[choice];
    if (heights) {
      const small = make("div", { className: "bg-small" }, ...lineThrough("small", heights.map((y, i) =>
        [6 + 88 * i / (heights.length - 1), 90 - 80 * (y - least) / (most - least || 1)])));
      small.setAttribute("aria-hidden", "true");
      shown.prepend(small);
    }
    return make("label", {}, input, shown);
  }));
  node.setAttribute("role", "radiogroup");
  return node;
}

// A number on a line. Its middle can be meant too: a press without a move counts.
function placing(model, first, set) {
  const { scale: [low, high], unit } = model.get("axes");
  const shown = make("span", { className: "bg-value", textContent: "?" });
  const slider = make("input", {
    type: "range", min: low, max: high, step: (high - low) / 100, value: first ?? (low + high) / 2,
  });
  const show = () => {
    shown.textContent = withUnit(slider.valueAsNumber, unit);
    slider.setAttribute("aria-valuetext", shown.textContent);
  };
  const take = () => { show(); set(slider.valueAsNumber); };
  if (first !== null) show();
  else slider.setAttribute("aria-valuetext", "no guess yet");
  slider.addEventListener("input", show);
  slider.addEventListener("change", take);
  slider.addEventListener("click", take);
  slider.addEventListener("keydown", ({ key }) => { if (key === "Enter" || key === " ") take(); });
  slider.setAttribute("aria-label", model.get("heading"));
  return make("div", { className: "bg-line" },
    make("span", { textContent: withUnit(low, unit) }), slider, make("span", { textContent: withUnit(high, unit) }), shown);
}

// A curve: drawn with the pointer, or point by point with the arrow keys. The first touch lays all
// points at one height.
function drawing(model, first, set) {
  const { scale: [low, high], at, unit, xlabel } = model.get("axes");
  const step = (high - low) / 100;
  const axes = axesOf(model.get("axes"));
  let heights = first;
  const layer = make("div", { className: "bg-layer" });
  const inputs = at.map((place, i) => {
    const input = make("input", { type: "range", min: low, max: high, step });
    input.style.left = `${axes.left(place)}%`;
    input.setAttribute("aria-label", `${place} ${xlabel}`.trimEnd());
    input.addEventListener("input", () => { move(i, input.valueAsNumber); });
    input.addEventListener("change", () => set(heights));
    input.addEventListener("keydown", ({ key }) => {
      if (key !== "Enter" && key !== " ") return;
      move(i, input.valueAsNumber);
      set(heights);
    });
    input.addEventListener("focus", show);
    input.addEventListener("blur", show);
    return input;
  });
  const asked = make("span", { className: "bg-asked", textContent: "Draw your curve here" });
  function show() {
    layer.replaceChildren(...(heights ? lineThrough("you", axes.points(heights)) : [asked]));
    inputs.forEach((input, i) => {
      input.value = heights ? heights[i] : (low + high) / 2;
      input.setAttribute("aria-valuetext", heights ? withUnit(heights[i], unit) : "no guess yet");
      if (!heights || document.activeElement !== input) return;
      layer.querySelectorAll(".bg-dot")[i].classList.toggle("bg-focus", input.matches(":focus-visible"));
    });
  }
  function move(i, value) {
    heights = heights ? heights.map((y, k) => (k === i ? value : y)) : at.map(() => value);
    show();
  }
  const nearest = (x) => bestPlace(at.map((place) => Math.abs(axes.left(place) - x)));
  const follow = (event) => {
    const box = axes.plot.getBoundingClientRect();
    const share = 1 - within(100 * (event.clientY - box.top) / box.height) / 100;
    const value = Number((low + step * Math.round(share * 100)).toPrecision(12));
    move(nearest(100 * (event.clientX - box.left) / box.width), value);
  };
  axes.plot.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    axes.plot.setPointerCapture(event.pointerId);
    follow(event);
  });
  axes.plot.addEventListener("pointermove", (event) => {
    if (axes.plot.hasPointerCapture(event.pointerId)) follow(event);
  });
  axes.plot.addEventListener("pointerup", () => set(heights));
  axes.plot.append(layer, ...inputs);
  axes.node.classList.add("bg-drawing");
  show();
  return axes.node;
}
const bestPlace = (distances) => distances.indexOf(Math.min(...distances));

function render({ model, el }) {
  const id = unique();
  const status = make("p", { className: "birnn-sentence" });
  status.setAttribute("role", "status");
  const { at, unit } = model.get("axes");
  const item = model.get("item");
  const written = (value) => typeof value === "string" ? value
    : [value].flat().map((number) => withUnit(number, unit)).join(", ");
  // A guess of another kind, as from before the question was changed, is none.
  const choices = model.get("choices");
  const fits = (value) => (choices.length ? choices.includes(value)
    : at.length ? Array.isArray(value) && value.length === at.length && value.every(Number.isFinite)
      : Number.isFinite(value));
  const guessed = () => (fits(model.get("value")) ? model.get("value") : null);
  // Nothing is promised before Python has kept it: after a restart nobody listens.
  const arrival = patiently(() => {
    status.textContent = "Your guess is not kept yet. If the kernel was restarted, run this cell again to guess.";
  });
  const tell = () => {
    const value = guessed();
    const kept = JSON.stringify(model.get("kept")) === JSON.stringify(value);
    arrival.stop();
    if (value !== null && !kept) arrival.wait();
    status.textContent = value === null ? ""
      : `Your guess: ${written(value)}.${kept ? " Go on and see." : ""} ${model.get("notice")}`.trim();
  };
  const set = (value) => {
    model.set("value", value);
    model.save_changes();
    tell();
    document.dispatchEvent(new CustomEvent(told, { detail: { item, value } }));
  };
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const control = choices.length ? choosing(model, id, guessed(), set)
    : at.length ? drawing(model, guessed(), set) : placing(model, guessed(), set);
  // Nobody has to guess. The result may be on the page already, or in a cell that is still to run.
  const skip = make("button", { type: "button", className: "bg-skip", textContent: "Just show me" });
  skip.addEventListener("click", () => {
    const result = document.querySelector(`[data-birnn-result="${item}"]`);
    const here = result?.checkVisibility({ visibilityProperty: true });
    const skipped = guessed() === null ? "Skipped. That’s fine. " : "";
    status.textContent = skipped + (here ? "The result is below." : "Go on to see the result.");
    if (!here) return;
    result.focus();
    result.scrollIntoView({ block: "center" });
  });
  const root = frame("bg", heading, control, skip, status);
  if (control.getAttribute("role")) control.setAttribute("aria-labelledby", heading.id);
  tell();
  for (const name of ["kept", "notice"]) model.on(`change:${name}`, tell);
  el.append(root);
  return () => {
    arrival.stop();
    for (const name of ["kept", "notice"]) model.off(`change:${name}`, tell);
  };
}
