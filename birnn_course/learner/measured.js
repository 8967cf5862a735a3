// A result beside the guess: a sentence, and where it is a number, two marks on one line.
function render({ model, el }) {
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const line = make("div", { className: "bg-marks" });
  line.setAttribute("aria-hidden", "true");
  const show = () => {
    sentence.textContent = model.get("sentence");
    const { scale, you, measured } = model.get("marks");
    line.replaceChildren();
    if (!scale) return;
    const [low, high] = scale;
    const place = (value) => `${Math.min(100, Math.max(0, 100 * (value - low) / (high - low)))}%`;
    const mark = (value, name, text) => {
      const node = make("i", { className: `bg-mark ${name}` }, make("span", { textContent: text }));
      node.style.left = place(value);
      return node;
    };
    line.append(mark(measured, "bg-measured", "measured"));
    if (typeof you === "number") line.append(mark(you, "bg-you", "you"));
  };
  show();
  model.on("change:sentence", show);
  model.on("change:marks", show);
  const root = make("div", { className: "birnn-panel bg" }, sentence, line);
  el.append(root);
  return () => {
    model.off("change:sentence", show);
    model.off("change:marks", show);
  };
}
