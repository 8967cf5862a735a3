// What every widget starts with: Python puts this before the widget's own script.
const make = (tag, props = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), props);
  node.append(...children);
  return node;
};

// Names and ids of two widgets on one page must differ.
const unique = () => `birnn-${Math.random().toString(36).slice(2)}`;

// The box around a widget, a group that its heading names.
const frame = (className, heading, ...children) => {
  heading.id = unique();
  const root = make("div", { className: `birnn-panel ${className}` }, heading, ...children);
  root.setAttribute("role", "group");
  root.setAttribute("aria-labelledby", heading.id);
  // Jupyter's shortcuts (arrows move the cell selection) must not fire in here. Notebook 7 takes a
  // key before it arrives, and asks only the element that has the focus.
  root.addEventListener("focusin", ({ target }) => { target.dataset.lmSuppressShortcuts = "true"; });
  root.addEventListener("keydown", (event) => event.stopPropagation());
  return root;
};

// What is asked of Python may never be answered: after a restart nobody listens. Then it is said.
const patiently = (tell) => {
  let timer = 0;
  return {
    wait: () => {
      clearTimeout(timer);
      timer = setTimeout(() => tell("No answer yet. If the kernel was restarted, run this cell again to go on."), 15000);
    },
    stop: () => clearTimeout(timer),
  };
};

