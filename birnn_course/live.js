// The widgets of a page without a kernel: each has its values beside it. What keeping.js keeps stays
// in this browser, if the page keeps anything.
const { library, keeps, version, sentences, kernels = {}, ...widgets } = globalThis.birnn;
const keeping = keeper(keeps, version);
const GUESSED = { guess: ["value", "kept"], measured: ["you"] };
const GONE = "This browser keeps nothing for this page: what you answer is gone when you close it.";

// The line under a quiz, and under a guess that cannot be kept.
function noting(panel, kind) {
  const inPage = kind in kernels;
  if (!inPage && kind !== "guess") return () => {};
  const line = document.createElement("p");
  line.className = "birnn-note";
  panel.append(line);
  return () => {
    const stays = keeps && inPage ? "What you answer stays in this browser." : "";
    line.textContent = [inPage ? "The answers are in this page, for practice." : "", keeping.refused ? GONE : stays]
      .filter(Boolean).join(" ");
    line.hidden = !line.textContent;
  };
}

for (const node of document.querySelectorAll(".birnn-live")) {
  const { kind } = node.dataset;
  const values = { library, keeping, ...JSON.parse(node.querySelector("script").textContent) };
  for (const name of GUESSED[kind] ?? []) values[name] = keeping.last("guess", values.item);
  const handlers = {};
  const tell = (name, value) => {
    values[name] = value;
    for (const handler of handlers[`change:${name}`] ?? []) handler();
  };
  const answer = kernels[kind]?.(values, tell, { keeping, sentences });
  let note = () => {};
  node.replaceChildren();
  widgets[kind]({
    el: node,
    model: {
      get: (name) => values[name],
      set: (name, value) => {
        values[name] = value;
        if (kind !== "guess") return;
        keeping.add("guess", values.item, value);
        tell("kept", value);
        note();
      },
      on: (event, handler) => { (handlers[event] ??= []).push(handler); },
      send: (message) => { answer?.(message); note(); },
      save_changes() {}, off() {},
    },
  });
  note = noting(node.querySelector(".birnn-panel"), kind);
  note();
  if (kind === "guess" && values.value !== null) { // of last time: it opens what answers it
    const detail = { item: values.item, value: values.value };
    document.dispatchEvent(new CustomEvent("birnn-guess", { detail }));
  }
}
// Out of a widget, back to the keys of the page.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target.closest(".birnn-live")) event.target.blur();
}, true);
