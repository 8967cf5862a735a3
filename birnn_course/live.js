// The widgets of a page without a kernel: each has its values beside it. Guesses stay in this
// browser if the page says so; nothing leaves it.
(() => {
  const { library, keeps, ...widgets } = globalThis.birnn;
  const key = (item) => `birnn-guess:${item}`;
  const kept = (item) => {
    try { return JSON.parse(localStorage.getItem(key(item))); } catch { return null; }
  };
  const keep = (item, value) => {
    try { localStorage.setItem(key(item), JSON.stringify(value)); } catch { /* it is gone tomorrow */ }
  };
  const GUESSED = { guess: "value", measured: "you" };

  for (const node of document.querySelectorAll(".birnn-live")) {
    const { kind } = node.dataset;
    const values = { library, ...JSON.parse(node.querySelector("script").textContent) };
    const guessed = GUESSED[kind];
    if (guessed && keeps) values[guessed] = kept(values.item);
    node.replaceChildren();
    widgets[kind]({
      el: node,
      model: {
        get: (name) => values[name],
        set: (name, value) => {
          values[name] = value;
          if (name === guessed && keeps) keep(values.item, value);
        },
        save_changes() {}, on() {}, off() {}, send() {},
      },
    });
    // A guess of last time opens what answers it.
    if (kind === "guess" && values.value !== null) {
      const detail = { item: values.item, value: values.value };
      document.dispatchEvent(new CustomEvent("birnn-guess", { detail }));
    }
  }
  // Out of a widget, back to the keys of the page.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.closest(".birnn-live")) event.target.blur();
  }, true);
})();
