// How does a network read a word? Tiles, readers, their states, and what one output has seen.
//
// The controls stand there once; what is below them is drawn anew. Shapes are hidden from screen
// readers: what they say stands in the sentence and in the table.

const SHOWN = 16; // units of each state, in four rows
const CELL = 14;
const MUST_BE_A_WORD = "Type 1 to 10 letters from a to z.";
const svgOf = (width, height, body) =>
  `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true" class="bx-svg">${body}</svg>`;
const number = (value) => Math.round(value * 10) / 10;

// A state as squares: as large as the number, filled if it is positive.
function squares(state, reader) {
  let filled = "";
  let open = "";
  for (let i = 0; i < Math.min(SHOWN, state.length); i++) {
    const size = (CELL - 1.5) * Math.max(Math.min(Math.abs(state[i]), 1), 0.12);
    const left = number((i % 4 + 0.5) * CELL - size / 2);
    const top = number((Math.floor(i / 4) + 0.5) * CELL - size / 2);
    const side = number(size);
    const square = `M${left} ${top}h${side}v${side}h${-side}z`;
    if (state[i] > 0) filled += square;
    else open += square;
  }
  return svgOf(4 * CELL, 4 * CELL,
    `<path d="${filled}" class="bx-filled-${reader}"/><path d="${open}" class="bx-open-${reader}"/>`);
}

const spoken = (tag) => (tag === "_" ? "–" : tag.replaceAll("+", " "));
const aloud = (tag) => (tag === "_" ? "silent" : tag.replaceAll("+", " "));
const share = (probability) => `${Math.round(100 * probability)} %`;
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;

// What the reader of a half has gone over when it writes output t: of the letters only.
const heard = (word, from, to) => word.slice(from, to);

function sentenceOf({ word, net, at, pads }) {
  const letter = `<strong>${word[at]}</strong>`;
  const forward = `<span class="bx-forward">${heard(word, 0, at + 1)}</span>`;
  const start = `Output ${at} (${letter}) has read ${forward} with the forward reader`;
  if (!net.bidirectional) {
    const rest = word.length - at - 1;
    return `${start}; ${rest ? `the ${counted(rest, "letter")} after it cannot reach it` : "it has seen the whole word"}.`;
  }
  if (net.layers > 1) return `Output ${at} (${letter}) has seen the whole word twice: in layer 2 both readers read what both readers of layer 1 have written${pads ? `, the ${counted(pads, "pad")} too` : ""}.`;
  return `${start} and <span class="bx-backward">${heard(word, at, word.length)}</span> with the backward reader${pads ? `, which began with ${counted(pads, "pad")}` : ""}.`;
}

function summarySentence(summary, { word, net, pads }) {
  if (summary === "last step") {
    if (!net.bidirectional) return ` The last output has read the whole word${pads ? `, and then ${counted(pads, "pad")}` : ""}.`;
    return pads
      ? " <code>output[:, -1]</code> stands on the last pad: its backward half has read one pad and no letter."
      : ` <code>output[:, -1]</code>: its forward half has read <span class="bx-forward">${word}</span>, but its backward half has read only <span class="bx-backward">${word.at(-1)}</span>.`;
  }
  if (summary === "both ends") {
    return net.bidirectional
      ? ` The two final states stand at opposite ends: forward at the last step, backward at step 0. Each has read <strong>${word}</strong>${pads ? `, forward and then ${counted(pads, "pad")}, backward after them` : ""}.`
      : " There is one final state, at the last step.";
  }
  return "";
}

function render({ model, el }) {
  const library = model.get("library");
  const nets = Object.fromEntries(Object.entries(library.nets).map(([name, net]) => [name, tagger(net)]));
  const state = { ...model.get("values") };
  const id = unique();
  let asked = 0; // counts drawings, so that a slow one does not come late

  // ── controls ──────────────────────────────────────────────────────────────────────────────
  const choice = ({ name, label, options }) =>
    make("fieldset", { className: "bx-choice" }, make("legend", { textContent: label }),
      make("div", { className: "bx-options" }, ...options.map((option) => {
        const input = make("input", {
          type: "radio", name: `${id}-${name}`, value: option, checked: state[name] === option,
        });
        input.addEventListener("change", () => change({ [name]: option }));
        return make("label", {}, input, make("span", { textContent: option }));
      })));
  const field = make("input", {
    type: "text", value: state.word, maxLength: 10, spellcheck: false, autocomplete: "off",
    autocapitalize: "none", className: "bx-word",
  });
  field.setAttribute("autocorrect", "off");
  field.addEventListener("input", () => change({ word: field.value.trim().toLowerCase() }));
  const problem = make("span", { className: "bx-problem", id: `${id}-problem` });
  field.setAttribute("aria-describedby", problem.id);
  const wordControl = make("label", { className: "bx-choice" },
    make("span", { className: "bx-label", textContent: "Word" }), field);
  const controls = make("div", { className: "bx-controls" }, wordControl,
    ...model.get("controls").map(choice), problem);

  // ── the picture ───────────────────────────────────────────────────────────────────────────
  const stage = make("div", { className: "bx-stage" });
  const play = make("button", { type: "button", className: "bx-play", textContent: "▶ Read" });
  const slider = make("input", { type: "range", min: 0, step: 1 });
  slider.setAttribute("aria-label", "How far the readers have come");
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const table = make("div", { className: "birnn-picture" });
  const details = make("details", {}, make("summary", { textContent: "The same as a table" }), table);
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const root = frame("bx", heading, controls, stage,
    make("div", { className: "bx-time" }, play, slider), sentence, details,
    make("p", { className: "bx-note", textContent: model.get("note") }));

  const netOf = () => nets[state.reads + (state.layers === "2" ? ", 2 layers" : "")];
  const valid = () => /^[a-z]{1,10}$/.test(state.word);

  function change(values) {
    Object.assign(state, values);
    if ("word" in values || "pads" in values) state.at = Math.min(state.at, Math.max(state.word.length - 1, 0));
    stop();
    draw();
    if (!valid()) return;
    model.set("values", { ...state });
    model.save_changes();
  }

  let drawn = null;

  function draw() {
    const fine = valid();
    problem.textContent = fine ? "" : MUST_BE_A_WORD;
    field.setAttribute("aria-invalid", String(!fine));
    root.classList.toggle("bx-stale", !fine);
    for (const button of stage.querySelectorAll("button")) button.disabled = !fine;
    play.disabled = slider.disabled = !fine;
    if (!fine) {
      sentence.textContent = `${MUST_BE_A_WORD} Until then the picture shows ${drawn.word}.`;
      return;
    }
    const net = netOf();
    const ids = lettersOf(state.word);
    const pads = state.pads === "padded" ? 3 : 0;
    drawn = { word: state.word, net, ids, pads, at: state.at, ...reading(net, ids, pads) };
    drawn.right = library.answers[state.word]?.split(" ");
    lay(drawn);
    tell();
    slider.max = drawn.ids.length + pads;
    slider.value = slider.max;
    reach(Number(slider.max));
    rely(++asked);
  }

  // One column per step; each row of the grid is one kind of thing.
  function lay(now) {
    const steps = now.ids.length + now.pads;
    const focused = stage.contains(document.activeElement);
    const rows = [];
    const column = (t) => `grid-column:${t + 2}`;
    const row = (name, cells) => rows.push(make("div", { className: `bx-row bx-${name}` }, ...cells));

    row("answers", now.ids.map((_, t) => {
      const best = bestOf(now.probabilities[t]);
      const tag = library.tags[best];
      const wrong = now.right && now.right[t] !== tag;
      const button = make("button", { type: "button", className: "bx-answer", tabIndex: t === now.at ? 0 : -1 });
      button.setAttribute("aria-pressed", String(t === now.at));
      button.setAttribute("aria-label", `Output ${t}, letter ${now.word[t]}: ${aloud(tag)}, ${share(now.probabilities[t][best])}` +
        (now.right ? (wrong ? `; wrong, it is ${aloud(now.right[t])}` : "; right") : ""));
      button.style.cssText = column(t);
      button.append(make("strong", { textContent: spoken(tag) }), make("small", { textContent: share(now.probabilities[t][best]) }));
      if (wrong) button.append(make("small", { className: "bx-wrong", textContent: `✗ ${spoken(now.right[t])}` }));
      else if (now.right) button.append(make("small", { className: "bx-right", textContent: "✓" }));
      button.addEventListener("click", () => choose(t));
      button.addEventListener("mouseenter", () => choose(t, true));
      return button;
    }));
    row("halves", Array.from({ length: steps }, (_, t) => {
      const pair = make("div", { className: "bx-pair" }, make("i", { className: "bx-half-forward" }));
      if (now.net.bidirectional) pair.append(make("i", { className: "bx-half-backward" }));
      pair.style.cssText = column(t);
      pair.dataset.step = t;
      return pair;
    }));
    for (let layer = now.layers.length - 1; layer >= 0; layer--) {
      const { forward, backward } = now.layers[layer];
      const which = now.layers.length > 1 ? `, layer ${layer + 1}` : "";
      for (const [reader, states] of [["backward", backward], ["forward", forward]]) {
        if (!states) continue;
        const name = reader === "forward" ? `forward reader${which} →` : `← backward reader${which}`;
        const band = make("div", { className: `bx-row bx-band bx-band-${reader}` },
          make("span", { className: `bx-name bx-${reader}`, textContent: name }),
          ...states.map((h, t) => {
            const cell = make("div", { className: "bx-state", innerHTML: squares(h, reader) });
            cell.style.cssText = column(t);
            cell.dataset.step = t;
            return cell;
          }));
        band.dataset.reader = reader;
        band.dataset.layer = layer;
        rows.push(band);
      }
    }
    row("letters", Array.from({ length: steps }, (_, t) => {
      const pad = t >= now.ids.length;
      const tile = make("div", { className: pad ? "bx-tile bx-pad" : "bx-tile", textContent: pad ? "" : now.word[t] });
      tile.style.cssText = column(t);
      return tile;
    }));
    row("bars", now.ids.map((_, t) => {
      const bar = make("div", { className: "bx-bar" }, make("i", {}));
      bar.style.cssText = column(t);
      return bar;
    }));
    rows.push(make("p", { className: "bx-note", textContent: "The bars: how much the chosen answer hangs on each letter." }));
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("class", "bx-lines");
    lines.setAttribute("aria-hidden", "true");
    stage.style.setProperty("--steps", steps);
    stage.replaceChildren(...rows, lines);
    light();
    if (focused) stage.querySelector("[aria-pressed=true]")?.focus();
  }

  // What belongs to the chosen output is lit; the rest is faded.
  function light() {
    const { at, net, ids, pads } = drawn;
    const last = ids.length + pads - 1;
    const reads = (reader, layer, t) => {
      const top = layer === net.layers - 1;
      if (!top && net.bidirectional) return true; // the layer above reads both of its readers
      return reader === "forward" ? t <= at : t >= at;
    };
    for (const button of stage.querySelectorAll(".bx-answer")) {
      const own = [...button.parentNode.children].indexOf(button) === at;
      button.setAttribute("aria-pressed", String(own));
      button.tabIndex = own ? 0 : -1;
    }
    for (const pair of stage.querySelectorAll(".bx-pair")) {
      const t = Number(pair.dataset.step);
      const summed = { "last step": [[last, "both"]], "both ends": [[last, "forward"], [0, "backward"]] }[state.summary] ?? [];
      pair.classList.toggle("bx-chosen", t === at);
      pair.classList.toggle("bx-sum-forward", summed.some(([step, half]) => step === t && half !== "backward"));
      pair.classList.toggle("bx-sum-backward", net.bidirectional && summed.some(([step, half]) => step === t && half !== "forward"));
    }
    for (const cell of stage.querySelectorAll(".bx-state")) {
      const { reader, layer } = cell.parentNode.dataset;
      cell.classList.toggle("bx-faded", !reads(reader, Number(layer), Number(cell.dataset.step)));
    }
    stage.querySelectorAll(".bx-tile").forEach((tile, t) => {
      tile.classList.toggle("bx-lit", net.bidirectional || t <= at);
    });
    connect();
  }

  // The paths, laid out where the boxes are.
  function connect() {
    const lines = stage.querySelector(".bx-lines");
    if (!lines || !stage.clientWidth) return;
    const origin = stage.getBoundingClientRect();
    const box = (node) => {
      const { left, right, top, bottom } = node.getBoundingClientRect();
      return { left: left - origin.left, right: right - origin.left, top: top - origin.top, bottom: bottom - origin.top };
    };
    lines.setAttribute("viewBox", `0 0 ${origin.width} ${origin.height}`);
    const half = (reader) => stage.querySelectorAll(".bx-pair")[drawn.at].querySelector(`.bx-half-${reader}`);
    let paths = "";
    for (const band of stage.querySelectorAll(`.bx-band[data-layer="${drawn.net.layers - 1}"]`)) {
      const { reader } = band.dataset;
      const states = band.querySelectorAll(".bx-state");
      const far = box(states[reader === "forward" ? 0 : states.length - 1]);
      const target = box(half(reader));
      const x = (target.left + target.right) / 2;
      const foot = box(band).bottom + 1;
      const from = reader === "forward" ? far.left : far.right;
      paths += `<path class="bx-path-${reader}" d="M${from} ${foot}H${x}V${target.bottom + 6}"/>` +
        `<path class="bx-tip-${reader}" d="M${x} ${target.bottom + 1}l-5 8h10z"/>`;
    }
    lines.innerHTML = paths;
  }

  function tell() {
    sentence.innerHTML = sentenceOf(drawn) + summarySentence(state.summary, drawn);
    const rows = drawn.ids.map((_, t) => {
      const best = bestOf(drawn.probabilities[t]);
      const seen = drawn.net.bidirectional
        ? `forward: ${heard(drawn.word, 0, t + 1)}, backward: ${heard(drawn.word, t, drawn.word.length)}`
        : heard(drawn.word, 0, t + 1);
      const right = drawn.right ? `<td>${aloud(drawn.right[t])}</td>` : "";
      return `<tr><th scope="row">${t}</th><td>${drawn.word[t]}</td><td>${aloud(library.tags[best])}</td><td>${share(drawn.probabilities[t][best])}</td>${right}<td>${seen}</td></tr>`;
    });
    table.innerHTML = `<table><thead><tr><th scope="col">step</th><th scope="col">letter</th><th scope="col">answer</th><th scope="col">probability</th>${drawn.right ? '<th scope="col">dictionary</th>' : ""}<th scope="col">its readers have read</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }

  // After the picture is there: how much the chosen answer hangs on each letter.
  function rely(ask) {
    const now = drawn;
    setTimeout(() => {
      if (ask !== asked || !stage.isConnected) return;
      const lost = reliance(now.net, now.ids, now.pads, now.at);
      stage.querySelectorAll(".bx-bar i").forEach((bar, t) => {
        bar.hidden = t > now.at && !now.net.bidirectional; // it cannot reach this output
        bar.style.height = `${Math.round(34 * Math.max(0, lost[t]))}px`;
        // Through two layers both ways a letter comes by either reader.
        const one = now.net.layers === 1 || !now.net.bidirectional;
        bar.className = t === now.at || !one ? "bx-half-own" : t < now.at ? "bx-half-forward" : "bx-half-backward";
      });
      const others = lost.map((value, t) => (t === now.at ? -1 : value));
      const most = bestOf(others);
      if (lost.length > 1 && others[most] > 0.05) {
        sentence.innerHTML += ` Besides its own letter it hangs most on <strong>${now.word[most]}</strong>: with another letter there, this answer loses ${Math.round(100 * others[most])} points on average.`;
      }
    }, 60);
  }

  function choose(t, passing = false) {
    if (t === drawn.at || (passing && stage.contains(document.activeElement))) return;
    state.at = drawn.at = t;
    light();
    tell();
    rely(++asked);
    if (!passing) stage.querySelectorAll(".bx-answer")[t].focus();
    model.set("values", { ...state });
    model.save_changes();
  }

  stage.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: state.at - 1, ArrowRight: state.at + 1, Home: 0, End: drawn.ids.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= drawn.ids.length) return;
    event.preventDefault();
    choose(to);
  });

  // ── time ──────────────────────────────────────────────────────────────────────────────────
  // The forward reader has read k steps from the left, the backward reader k from the right.
  let timer = null;
  function reach(k) {
    const steps = drawn.ids.length + drawn.pads;
    for (const cell of stage.querySelectorAll(".bx-state")) {
      const t = Number(cell.dataset.step);
      const read = cell.parentNode.dataset.reader === "forward" ? t < k : t >= steps - k;
      cell.classList.toggle("bx-unread", !read);
    }
    for (const pair of stage.querySelectorAll(".bx-pair")) {
      const t = Number(pair.dataset.step);
      const done = t < k && (!drawn.net.bidirectional || t >= steps - k);
      pair.classList.toggle("bx-unread", !done);
    }
    stage.querySelectorAll(".bx-answer").forEach((button, t) => {
      button.classList.toggle("bx-unread", !(t < k && (!drawn.net.bidirectional || t >= steps - k)));
    });
    stage.classList.toggle("bx-reading", k < steps);
    slider.setAttribute("aria-valuetext", k < steps ? `${k} of ${steps} steps read` : "all read");
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Read";
  }
  play.addEventListener("click", () => {
    if (timer) return stop();
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
      slider.value = (Number(slider.value) + 1) % (Number(slider.max) + 1);
      return reach(Number(slider.value));
    }
    slider.value = 0;
    reach(0);
    play.textContent = "⏸ Pause";
    timer = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      reach(Number(slider.value));
      if (slider.value === slider.max) stop();
    }, 600);
  });
  slider.addEventListener("input", () => { stop(); reach(Number(slider.value)); });

  const sized = new ResizeObserver(() => connect());
  sized.observe(stage);
  el.append(root);
  draw();
  return () => { stop(); sized.disconnect(); };
}
