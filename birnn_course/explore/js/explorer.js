// What the explorers share.

// Where a part of the picture is upon it. A slide may be shown larger than it is.
function boxesOn(stage) {
  const origin = stage.getBoundingClientRect();
  const scale = origin.width / stage.offsetWidth || 1;
  return (node) => {
    const { left, right, top, bottom } = node.getBoundingClientRect();
    return {
      left: (left - origin.left) / scale, right: (right - origin.left) / scale,
      top: (top - origin.top) / scale, bottom: (bottom - origin.top) / scale,
    };
  };
}

// The controls: of some, a preset shows only a few. "Explore freely" brings the rest.
//
// Of few options each is a radio button; of many it is a list.
function choicesOf(model, state, change) {
  const id = unique();
  const preset = model.get("preset");
  const one = ({ name, label, options, list }) => {
    if (list) {
      const field = make("select", { className: "bx-list" }, ...options.map((option) => make("option", { textContent: option, value: option })));
      field.value = state[name];
      field.addEventListener("change", () => change({ [name]: field.value }));
      return make("label", { className: "bx-choice" }, make("span", { className: "bx-label", textContent: label }), field);
    }
    return make("fieldset", { className: "bx-choice" }, make("legend", { textContent: label }),
      make("div", { className: "bx-options" }, ...options.map((option) => {
        const input = make("input", {
          type: "radio", name: `${id}-${name}`, value: option, checked: state[name] === option,
        });
        input.addEventListener("change", () => change({ [name]: option }));
        return make("label", {}, input, make("span", { textContent: option }));
      })));
  };
  const nodes = Object.fromEntries(model.get("controls").map((control) => {
    const node = one(control);
    node.hidden = !preset.includes(control.name);
    return [control.name, node];
  }));

  // Values that the person did not set by a control: it follows.
  function pick(values) {
    for (const [name, value] of Object.entries(values)) {
      for (const input of nodes[name].querySelectorAll("input")) input.checked = input.value === value;
      for (const field of nodes[name].querySelectorAll("select")) {
        if (![...field.options].some((option) => option.value === value)) field.append(make("option", { textContent: value, value }));
        field.value = value;
      }
    }
    change(values);
  }

  const free = make("button", { type: "button", className: "bx-quiet", textContent: "Explore freely" });
  free.hidden = preset.length === Object.keys(nodes).length;
  free.setAttribute("aria-expanded", "false");
  free.addEventListener("click", () => {
    const open = free.getAttribute("aria-expanded") === "false";
    free.setAttribute("aria-expanded", String(open));
    const others = Object.keys(nodes).filter((name) => !preset.includes(name));
    for (const name of others) nodes[name].hidden = !open;
    if (!open) pick(Object.fromEntries(others.map((name) => [name, model.get("first")[name]])));
  });
  return { nodes, pick, free };
}
