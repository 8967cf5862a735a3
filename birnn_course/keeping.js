// Answers and guesses of a page's reader, kept in this browser: nothing leaves it. Each item has a
// list of entries with an answer, its time and the version of the course.
function keeper(keeps, version) {
  const KINDS = { answer: "birnn-answer:", guess: "birnn-guess:" };
  const memory = new Map(); // what the browser does not keep lives until the page is closed
  let store = null;
  let refused = false;
  if (keeps) {
    try {
      store = localStorage;
      store.setItem("birnn-probe", "");
      store.removeItem("birnn-probe");
    } catch { [store, refused] = [null, true]; }
  }
  const inStore = (use, otherwise) => { try { return store ? use(store) : otherwise; } catch { return otherwise; } };
  const keys = () => [...new Set([...inStore(Object.keys, []), ...memory.keys()])].sort();
  const isEntry = (entry) => entry && typeof entry.at === "string" && "answer" in entry;

  function entries(key) {
    try {
      return JSON.parse(memory.get(key) ?? inStore((kept) => kept.getItem(key), null)).filter(isEntry);
    } catch { return []; } // nothing, or nothing of ours
  }

  function add(kind, item, answer) {
    const key = KINDS[kind] + item;
    const before = entries(key);
    if (kind === "guess" && JSON.stringify(before.at(-1)?.answer) === JSON.stringify(answer)) return;
    const entry = { answer, at: new Date().toISOString(), version };
    const text = JSON.stringify([...(kind === "guess" ? [] : before), entry]);
    memory.delete(key);
    const written = inStore((kept) => { kept.setItem(key, text); return true; }, false);
    if (written) return;
    memory.set(key, text);
    refused = keeps;
  }

  return {
    add,
    last: (kind, item) => entries(KINDS[kind] + item).at(-1)?.answer ?? null,
    // All of a kind: [{ item, answer, at, version }], one after the other for each item.
    all: (kind) => keys().filter((key) => key.startsWith(KINDS[kind]))
      .flatMap((key) => entries(key).map((entry) => ({ item: key.slice(KINDS[kind].length), ...entry }))),
    forget() {
      const ours = keys().filter((key) => Object.values(KINDS).some((start) => key.startsWith(start)));
      for (const key of ours) { memory.delete(key); inStore((kept) => kept.removeItem(key)); }
    },
    get refused() { return refused; },
  };
}
