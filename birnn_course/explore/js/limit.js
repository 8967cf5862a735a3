// How far must a model read before it can know? Sentences as rows; those that look the same up to
// the last uncovered word are one heap, and one heap gets one answer.
//
// The picture is hidden from screen readers: what it says stands in the sentence and in the table.

const gcd = (a, b) => (b ? gcd(b, a % b) : a);
const fraction = (a, b) => {
  const shared = gcd(a, b);
  return b === shared ? `${a / shared}` : `${a / shared}/${b / shared}`;
};
const plural = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

// Rows that show the same first k words stand next to each other already.
function heapsOf(rows, k) {
  const heaps = [];
  rows.forEach(([words, tag, n], i) => {
    const seen = words.slice(0, k).join(" ");
    if (heaps.at(-1)?.seen !== seen) heaps.push({ seen, first: i, rows: 0, tags: new Map() });
    const heap = heaps.at(-1);
    heap.rows++;
    heap.tags.set(tag, (heap.tags.get(tag) ?? 0) + n);
  });
  for (const heap of heaps) {
    heap.total = [...heap.tags.values()].reduce((a, b) => a + b);
    heap.won = Math.max(...heap.tags.values());
    heap.bet = [...heap.tags].find(([, n]) => n === heap.won)[0];
  }
  return heaps;
}

function render({ model, el }) {
  const { limits, beginnings, rests } = model.get("library");
  const state = { ...model.get("values") };
  const farthest = limits.length - 1;

  // ── controls ──────────────────────────────────────────────────────────────────────────────
  const slider = make("input", { type: "range", min: 0, max: farthest, step: 1, value: state.lookahead });
  const sliderLabel = make("span", { className: "bl-label" });
  const choose = make("select", {}, ...beginnings.map(({ words }, i) =>
    make("option", { value: i, textContent: words.join(" "), selected: i === state.beginning })));
  const controls = make("div", { className: "bl-controls" },
    make("label", { className: "bl-beginning" }, make("span", { className: "bl-label", textContent: "It begins with" }), choose),
    make("label", {}, sliderLabel, slider));

  // ── what follows them ─────────────────────────────────────────────────────────────────────
  const score = make("div", { className: "bl-score" });
  const grid = make("div", { className: "bl-grid birnn-picture" });
  for (const node of [score, grid]) node.setAttribute("aria-hidden", "true");
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const table = make("div", { className: "birnn-picture" });
  const details = make("details", {}, make("summary", { textContent: "The same as a table" }), table);
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const root = frame("bl", heading, controls, score, grid, sentence, details);

  function draw() {
    const k = state.lookahead;
    const { words, rest } = beginnings[state.beginning];
    const rows = rests[rest];
    const heaps = heapsOf(rows, k);
    const total = heaps.reduce((sum, heap) => sum + heap.total, 0);
    const won = heaps.reduce((sum, heap) => sum + heap.won, 0);
    const now = { k, words, rows, heaps, total, won, limit: limits[k] };
    sliderLabel.textContent = `Words uncovered after ${words.at(-1)}: ${k}`;
    slider.setAttribute("aria-valuetext", plural(k, "word"));
    showScore(now);
    showGrid(now);
    sentence.textContent = said(now);
    showTable(now);
  }

  function showScore({ limit: [a, b] }) {
    const part = (className, share) => {
      const node = make("i", { className });
      node.style.width = `${100 * share}%`;
      return node;
    };
    score.replaceChildren(make("span", { className: "bl-fraction", textContent: fraction(a, b) }),
      make("div", { className: "bl-bar" }, part("bl-won", a / b), part("bl-lost", 1 - a / b)));
  }

  function showGrid({ k, words, rows, heaps }) {
    const cells = [];
    const put = (className, column, first, span, ...inside) => {
      const node = make("div", { className }, ...inside);
      node.style.gridArea = `${first + 2} / ${column} / span ${span} / auto`;
      cells.push(node);
      return node;
    };
    const start = words.length;
    words.forEach((word, j) => put("bl-word bl-known", j + 1, 0, rows.length, word));
    for (let j = 0; j < farthest; j++) {
      if (j >= k) put("bl-hidden", start + j + 1, 0, rows.length);
      else for (const { first, rows: span } of heapsOf(rows, j + 1)) {
        const word = rows[first][0][j];
        if (word !== undefined) put("bl-word", start + j + 1, first, span, word);
      }
    }
    const end = start + farthest;
    for (const heap of heaps) {
      put("bl-bet", end + 1, heap.first, heap.rows, make("strong", { textContent: heap.bet }),
        make("span", { textContent: `${heap.won} of ${heap.total}` }));
      for (let i = heap.first; i < heap.first + heap.rows; i++) {
        const [, tag, n] = rows[i];
        const right = tag === heap.bet;
        put("bl-row", end + 2, i, 1,
          make("span", { className: right ? "bl-yes" : "bl-no", textContent: `${right ? "✓" : "✗"} ${n} ${tag}` }));
      }
    }
    const head = (column, text) => { put("bl-head", column, -1, 1, text); };
    head(end + 1, "the bet");
    head(end + 2, "the truth");
    grid.style.gridTemplateColumns = `repeat(${end}, auto) minmax(5.5em, 1fr) auto`;
    grid.style.gridTemplateRows = `auto ${rows.map(([, , n]) => `minmax(18px, ${n}fr)`).join(" ")}`;
    grid.replaceChildren(...cells);
  }

  function said({ k, words, heaps, total, won, limit }) {
    const word = words.at(-1);
    const start = k ? `${plural(k, "word")} after ${word}: ${plural(heaps.length, "heap")} of sentences that look the same.`
      : `Nothing after ${word} is read: all ${total} sentences look the same and get one answer.`;
    return `${start} The best bets are right for ${won} of ${total} = ${fraction(won, total)}. In the whole task: ${fraction(...limit)}.`;
  }

  function showTable({ words, heaps }) {
    const line = (heap) => `<tr><th scope="row">${[...words, heap.seen].join(" ")} …</th><td>${heap.bet}</td><td>${heap.won} of ${heap.total}</td></tr>`;
    table.innerHTML = `<table><thead><tr><th scope="col">heap</th><th scope="col">best bet</th><th scope="col">right</th></tr></thead><tbody>${heaps.map(line).join("")}</tbody></table>`;
  }

  const change = (values) => {
    Object.assign(state, values);
    draw();
    model.set("values", { ...state });
    model.save_changes();
  };
  slider.addEventListener("input", () => change({ lookahead: Number(slider.value) }));
  choose.addEventListener("change", () => change({ beginning: Number(choose.value) }));
  el.append(root);
  draw();
}
