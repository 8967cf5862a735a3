// Draws the controls once and never again: a redraw would take the keyboard focus away.
function render({ model, el }) {
  const id = unique();
  const set = (name, value) => {
    model.set("values", { ...model.get("values"), [name]: value });
    model.save_changes();
    root.classList.add("birnn-stale"); // until Python has answered
    answer.wait();
  };
  const current = (name) => model.get("values")[name];

  const choice = ({ name, label, options }) =>
    make("fieldset", {}, make("legend", { textContent: label }), ...options.map((option) => {
      const input = make("input", {
        type: "radio", name: `${id}-${name}`, value: option, checked: current(name) === option,
      });
      input.addEventListener("change", () => set(name, option));
      return make("label", {}, input, option);
    }));

  const integer = ({ name, label, low, high }) => {
    const input = make("input", { type: "number", min: low, max: high, step: 1, value: current(name) });
    // an empty or broken field is sent as null, and Python says what it needs
    input.addEventListener("input", () => {
      const value = input.valueAsNumber;
      set(name, Number.isNaN(value) ? null : value);
    });
    return make("label", { className: "birnn-integer" }, `${label} `, input);
  };

  const word = ({ name, label, longest }) => {
    // no spelling help: the words may be made up, and a correction would be another word
    const input = make("input", {
      type: "text", value: current(name), maxLength: longest, spellcheck: false,
      autocomplete: "off", autocapitalize: "none",
    });
    input.setAttribute("autocorrect", "off");
    input.addEventListener("input", () => set(name, input.value));
    return make("label", { className: "birnn-word" }, `${label} `, input);
  };

  const controls = model.get("controls").map((c) => ({ choice, integer, word })[c.kind](c));
  const picture = make("div", { className: "birnn-picture" });
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const still = make("p", { className: "birnn-still", textContent: "The picture below is still the one before." });
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const root = frame("", heading,
    make("div", { className: "birnn-controls" }, ...controls), sentence, still, picture);

  const showPicture = () => { picture.innerHTML = model.get("picture"); };
  const showSentence = () => { sentence.textContent = model.get("sentence"); };
  const answer = patiently((text) => { sentence.textContent = text; });
  const showAnswered = () => {
    answer.stop();
    root.classList.toggle("birnn-stale", model.get("stale"));
  };
  model.on("change:answered", showAnswered);
  model.on("change:picture", showPicture);
  model.on("change:sentence", showSentence);
  showPicture();
  showSentence();
  showAnswered();
  el.append(root);
  return () => {
    answer.stop();
    model.off("change:answered", showAnswered);
    model.off("change:picture", showPicture);
    model.off("change:sentence", showSentence);
  };
}
export default { render };
