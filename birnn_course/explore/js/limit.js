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
  const { limits, beginnings, rests, of: [whole, step] } = model.get("library");
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
    const steps = `${step[0].toUpperCase()}${step.slice(1)}s`;
    sliderLabel.textContent = `${steps} read after ${words.at(-1)}: ${k} of ${farthest}`;
    slider.setAttribute("aria-valuetext", plural(k, step));
    showScore(now);
    showGrid(now);
    sentence.textContent = said(now);
    showTable(now);
  }

  function showScore({ won, total, limit: [a, b] }) {
    const part = (className, share, text) => {
      const node = make("div", { className });
      node.style.width = `${100 * share}%`;
      if (share > 0.12) node.append(make("span", { textContent: text }));
      return node;
    };
    // The words count what is below; the lengths are the whole task's, and mostly the same.
    const same = a * total === b * won;
    score.replaceChildren(
      make("div", {}, make("span", { className: "bl-fraction", textContent: fraction(a, b) }),
        make("span", { className: "bl-label", textContent: "the best possible score" })),
      make("div", { className: "bl-bar" }, part("bl-won", a / b, same ? `✓ ${won} right` : "✓ right"),
        part("bl-lost", 1 - a / b, same ? `✗ ${total - won} wrong` : "✗ wrong")));
  }

  function showGrid({ k, words, rows, heaps }) {
    const cells = [];
    // Rows and columns from 1; the first row holds the names of the columns.
    const put = (className, row, column, { down = 1, across = 1 } = {}, ...inside) => {
      const node = make("div", { className }, ...inside);
      node.style.gridArea = `${row + 2} / ${column} / span ${down} / span ${across}`;
      cells.push(node);
      return node;
    };
    const start = words.length + 1;
    const end = start + farthest;
    words.forEach((word, j) => put("bl-word bl-known", 0, j + 1, { down: rows.length }, word));
    for (const heap of heaps) {
      const down = heap.rows;
      // A heap is one from its last word on; before it, it shares words with others.
      const from = start + Math.max(k - 1, 0);
      put("bl-heap", heap.first, from, { down, across: end + 2 - from });
      if (k < farthest) put("bl-hidden", heap.first, start + k, { down, across: farthest - k });
      put(down > 1 ? "bl-bet" : "bl-bet bl-one", heap.first, end, { down }, make("strong", { textContent: heap.bet }),
        make("span", { textContent: `${heap.won} of ${heap.total}` }));
      rows.slice(heap.first, heap.first + down).forEach(([, tag, n], i) => {
        const right = tag === heap.bet;
        put("bl-row", heap.first + i, end + 1, {},
          make("span", { className: right ? "bl-yes" : "bl-no", textContent: right ? "✓" : "✗" }),
          make("span", { className: "bl-tag", textContent: tag }),
          make("span", { className: "bl-number", textContent: `× ${n}` }));
      });
    }
    for (let j = 0; j < k; j++) {
      for (const { first, rows: down } of heapsOf(rows, j + 1)) {
        const word = rows[first][0][j];
        if (word !== undefined) put("bl-word", first, start + j, { down }, word);
      }
    }
    put("bl-head", -1, start, { across: farthest }, farthest > 1 ? `next ${step}s` : "next");
    put("bl-head", -1, end, {}, "bet");
    put("bl-head", -1, end + 1, {}, "truth");
    const wide = (j) => Math.max(2, ...rows.map(([rest]) => (rest[j] ?? "").length));
    const fields = Array.from({ length: farthest }, (_, j) => `minmax(0, ${wide(j) + 1.5}ch)`).join(" ");
    grid.style.setProperty("--known", words.length);
    grid.style.setProperty("--fields", fields);
    const least = Math.min(...rows.map(([, , n]) => n));
    grid.style.gridTemplateRows = `auto ${rows.map(([, , n]) => `${Math.min(17 * n / least, 28)}px`).join(" ")}`;
    grid.replaceChildren(...cells);
  }

  function said({ k, words, rows, heaps, total, won, limit }) {
    const mixed = heaps.filter((heap) => heap.tags.size > 1).length;
    const score = `${won} of ${total}, which is ${fraction(won, total)}`;
    const task = limit[0] * total === limit[1] * won ? "" : ` In the whole task it is ${fraction(...limit)}.`;
    if (k === 0) {
      return `The model has read ${words.join(" ")} and must answer. All ${plural(total, whole)} look the same to it, ` +
        `so all get one answer. The best bet is ${heaps[0].bet}: right for ${score}.${task}`;
    }
    const split = heaps.length === heapsOf(rows, k - 1).length
      ? `The last of these ${step}s splits nothing: still ${plural(heaps.length, "heap")}.`
      : `Now there are ${plural(heaps.length, "heap")}.`;
    const holds = !mixed ? "Each holds one answer only, so every bet is right"
      : `${mixed === heaps.length ? (mixed > 1 ? "Each still holds" : "It still holds") : `${mixed} still hold${mixed > 1 ? "" : "s"}`} more than one answer. ` +
        "The best bets are right for";
    return `${plural(k, `more ${step}`)} read. ${split} ${holds}${mixed ? ` ${score}` : `: ${score}`}.${task}`;
  }

  function showTable({ words, heaps }) {
    const line = (heap) => `<tr><th scope="row">${[...words, heap.seen].join(" ").trim()} …</th>` +
      `<td>${[...heap.tags].map(([tag, n]) => `${n} ${tag}`).join(", ")}</td>` +
      `<td>${heap.bet}</td><td>${heap.won} of ${heap.total}</td></tr>`;
    const head = [`${whole}s that begin`, "what is true", "best bet", "right"];
    table.innerHTML = `<table><thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>` +
      `<tbody>${heaps.map(line).join("")}</tbody></table>`;
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
