// How does a network read a word? Tiles, readers, their states, and what one output has seen.
//
// The controls stand there once; what is below them is drawn anew. Shapes are hidden from screen
// readers: what they say stands in the sentence and in the table.

const PADS = 3;

function render({ model, el }) {
  const library = model.get("library");
  const nets = {};
  const state = { ...model.get("values") };
  const id = unique();
  let arpabet = false;
  let asked = 0; // counts drawings, so that what belongs to an old one does not come late

  // ── controls ──────────────────────────────────────────────────────────────────────────────
  const { nodes: choices, pick, free } = choicesOf(model, state, change);
  const field = make("input", {
    type: "text", value: state.word, maxLength: 24, spellcheck: false, autocomplete: "off",
    autocapitalize: "none", className: "bx-word",
  });
  field.setAttribute("autocorrect", "off");
  field.addEventListener("input", () => change({ word: field.value.trim().toLowerCase() }));
  const problem = make("span", { className: "bx-problem", id: `${id}-problem` });
  field.setAttribute("aria-describedby", problem.id);
  const wordControl = make("label", { className: "bx-choice" },
    make("span", { className: "bx-label", textContent: "Word" }), field);
  const controls = make("div", { className: "bx-controls" }, wordControl, ...Object.values(choices), problem);

  // ── the picture ───────────────────────────────────────────────────────────────────────────
  const stage = make("div", { className: "bx-stage" });
  const play = make("button", { type: "button", className: "bx-play", textContent: "▶ Read" });
  const slider = make("input", { type: "range", min: 0, step: 1 });
  slider.setAttribute("aria-label", "How far the readers have come");
  const progress = make("p", { className: "bx-progress" });
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const table = make("div", { className: "birnn-picture" });
  const details = make("details", {}, make("summary", { textContent: "The same as a table" }), table);
  const sounds = make("button", { type: "button", className: "bx-quiet", textContent: "Sounds in ARPAbet" });
  sounds.setAttribute("aria-pressed", "false");
  sounds.addEventListener("click", () => {
    arpabet = !arpabet;
    sounds.setAttribute("aria-pressed", String(arpabet));
    if (!problem.textContent) draw();
  });
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const side = make("div", { className: "bx-side" },
    make("div", { className: "bx-time" }, play, slider), progress, sentence, details,
    make("p", { className: "bx-note", textContent: model.get("note") }), make("div", { className: "bx-more" }, free, sounds));
  const root = frame("bx", heading, controls, make("div", { className: "bx-body" }, stage, side));

  const netOf = () => {
    const name = state.reads + (state.layers === "2" ? ", 2 layers" : "");
    return (nets[name] ??= tagger(library.nets[name]));
  };

  function change(values) {
    Object.assign(state, values);
    stop();
    draw();
    keep();
  }

  function keep() {
    if (problem.textContent) return;
    model.set("values", { ...state });
    model.save_changes();
  }

  let now = null; // what is drawn

  function draw() {
    problem.textContent = wordProblem(state.word);
    const fine = !problem.textContent;
    field.setAttribute("aria-invalid", String(!fine));
    root.classList.toggle("bx-stale", !fine);
    for (const button of stage.querySelectorAll("button")) button.disabled = !fine;
    play.disabled = slider.disabled = !fine;
    asked++;
    if (!fine) {
      sentence.textContent = `${problem.textContent} Until then the picture shows ${now.word}.`;
      return;
    }
    const net = netOf();
    const { word, summary } = state;
    const ids = lettersOf(word);
    // A word beside it in the batch is longer by the pads. Packed, a step has those that go on.
    const packed = state.pads === "packed" ? packing([ids.length + PADS, ids.length]) : null;
    const readPads = state.pads === "padded" ? PADS : 0;
    state.at = Math.min(state.at, word.length - 1);
    now = {
      word, summary, net, ids, readPads, at: state.at,
      steps: ids.length + (state.pads === "alone" ? 0 : PADS), // columns
      sizes: packed?.sizes,
      read: packed ? packed.rows.filter(([sequence]) => sequence === 1).length : ids.length + readPads, // those that the readers go over
      right: library.answers[word]?.split(" "),
      ...reading(net, ids, readPads),
    };
    lay();
    light();
    tell();
    slider.max = now.read + delay(net.layers - 1);
    slider.value = slider.max;
    reach(Number(slider.max));
    measure();
  }

  const column = (node, t) => {
    node.style.gridColumn = t + 1;
    node.dataset.step = t;
    return node;
  };
  const columns = (make) => Array.from({ length: now.steps }, (_, t) => column(make(t), t));

  // The pointer has come by itself: a picture that grows may have moved under one that lies still.
  const pointed = (node, t) => node.addEventListener("mousemove", ({ movementX, movementY }) => {
    if (movementX || movementY) choose(t, true);
  });

  function answer(t) {
    const best = bestOf(now.probabilities[t]);
    const tag = library.tags[best];
    const likely = share(now.probabilities[t][best]);
    const right = now.right && now.right[t] === tag;
    const button = make("button", { type: "button", className: "bx-answer" },
      make("strong", { textContent: spoken(tag, arpabet) }), make("small", { textContent: likely }));
    let judged = "";
    if (now.right) {
      judged = right ? "; right" : `; wrong, it is ${aloud(now.right[t], arpabet)}`;
      button.append(make("small", right ? { className: "bx-right", textContent: "✓" }
        : { className: "bx-wrong", textContent: `✗ ${spoken(now.right[t], arpabet)}` }));
    }
    button.setAttribute("aria-label", `Output ${t}, letter ${now.word[t]}: ${aloud(tag, arpabet)}, ${likely}${judged}`);
    button.addEventListener("click", () => choose(t));
    pointed(button, t);
    return button;
  }

  // One column per step; each row of the grid is one kind of thing.
  function lay() {
    const focused = stage.contains(document.activeElement);
    const { net, ids } = now;
    const rows = [];
    const row = (name, cells) => rows.push(make("div", { className: `bx-row bx-${name}` }, ...cells));
    const readers = net.bidirectional ? ["forward", "backward"] : ["forward"];

    row("answers", ids.map((_, t) => column(answer(t), t)));
    row("halves", columns((t) => make("div", { className: t < now.read ? "bx-pair" : "bx-pair bx-zeros" },
      ...readers.map((reader) => make("i", { className: `bx-half-${reader}` })))));
    for (let layer = now.layers.length - 1; layer >= 0; layer--) {
      const which = now.layers.length > 1 ? `, layer ${layer + 1}` : "";
      for (const reader of [...readers].reverse()) {
        const name = reader === "forward" ? `forward reader${which} →` : `← backward reader${which}`;
        const states = now.layers[layer][reader];
        const band = make("div", { className: `bx-row bx-band bx-band-${reader}` },
          make("span", { className: `bx-name bx-${reader}`, textContent: name }),
          ...columns((t) => make("div", { className: "bx-state", innerHTML: t < now.read ? squares(states[t], reader) : "" })));
        band.dataset.reader = reader;
        band.dataset.layer = layer;
        // between two layers there is room for what one reads of the other
        band.classList.toggle("bx-below", layer < now.layers.length - 1 && reader === readers.at(-1));
        rows.push(band);
      }
    }
    row("letters", columns((t) => make("div", t < ids.length ? { className: "bx-tile", textContent: now.word[t] } : { className: "bx-tile bx-pad" })));
    if (now.sizes) {
      row("sizes", columns((t) => make("span", { textContent: now.sizes[t] })));
      rows.push(make("p", { className: "bx-caption", textContent: "batch_sizes: with a word beside it that is longer by 3, so many are still there" }));
    }
    row("bars", ids.map((_, t) => column(make("div", { className: "bx-bar" }, make("i", { hidden: true })), t)));
    rows.push(make("p", { className: "bx-caption bx-of-bars", textContent: "How much the chosen answer hangs on each letter" }));
    const map = make("div", { className: "bx-map" }, ...ids.map((_, t) => {
      const one = make("div", { className: "bx-row bx-map-row" }, make("span", { textContent: now.word[t] }),
        ...columns(() => make("b", {})));
      pointed(one, t);
      return one;
    }));
    map.setAttribute("aria-hidden", "true"); // the table has it
    rows.push(map, make("p", { className: "bx-caption", textContent: "Dependence map: a row per output, filled where that letter reaches it" }));
    const lines = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    lines.setAttribute("class", "bx-lines");
    lines.setAttribute("aria-hidden", "true");
    stage.style.setProperty("--steps", now.steps);
    stage.replaceChildren(...rows, lines);
    if (focused) stage.querySelectorAll(".bx-answer")[now.at].focus();
  }

  // The halves in question: those of a summary, or those of the chosen output.
  const halves = () => now.summary !== "none" ? summaryHalves(now)
    : (now.net.bidirectional ? ["forward", "backward"] : ["forward"]).map((reader) => ({ step: now.at, reader }));

  // Whether what is in question has come through this state; of a packed word, pads are no steps.
  function through(reader, layer, t) {
    if (t >= now.read) return false;
    const wanted = halves().filter(({ step }) => step < now.read);
    const reads = (half, step) => (half.reader === "forward" ? step <= half.step : step >= half.step);
    if (layer === now.net.layers - 1) return wanted.some((half) => half.reader === reader && reads(half, t));
    // The layer above reads both readers of this one, and each of those has come from its own end.
    const above = Array.from({ length: now.read }, (_, step) => step).filter((step) => wanted.some((half) => reads(half, step)));
    return above.some((step) => reads({ reader, step }, t));
  }

  // What is in question is lit; the rest is faded.
  function light() {
    const wanted = halves();
    const own = now.summary === "none";
    stage.querySelectorAll(".bx-answer").forEach((button, t) => {
      button.setAttribute("aria-pressed", String(own && t === now.at));
      button.tabIndex = t === now.at ? 0 : -1;
    });
    const isWanted = (reader, step) => wanted.some((half) => half.reader === reader && half.step === step);
    for (const pair of stage.querySelectorAll(".bx-pair")) {
      for (const half of pair.children) half.classList.toggle("bx-chosen", isWanted(half.className.match(/forward|backward/)[0], Number(pair.dataset.step)));
    }
    for (const cell of stage.querySelectorAll(".bx-state")) {
      const { reader, layer } = cell.parentNode.dataset;
      const step = Number(cell.dataset.step);
      cell.classList.toggle("bx-faded", !through(reader, Number(layer), step));
      cell.classList.toggle("bx-final", !own && Number(layer) === now.net.layers - 1 && isWanted(reader, step));
    }
    stage.querySelectorAll(".bx-tile").forEach((tile, t) => {
      tile.classList.toggle("bx-lit", through("forward", 0, t) || (now.net.bidirectional && through("backward", 0, t)));
    });
    const steps = new Set(wanted.map(({ step }) => step)); // a summary may be one output, or of two
    stage.querySelectorAll(".bx-map-row").forEach((row, t) => row.classList.toggle("bx-chosen", steps.size === 1 && steps.has(t) && (own || now.summary === "output[:, -1]")));
    stage.classList.toggle("bx-summed", !own);
    connect();
  }

  // The paths, laid out where the boxes are: along the foot of a band from the end where the reader
  // came in, and up beside the column to the half of the output. Between two layers, one arrow for
  // each state that the upper one has read.
  function connect() {
    const lines = stage.querySelector(".bx-lines");
    if (!lines || !stage.clientWidth) return;
    const box = boxesOn(stage);
    lines.setAttribute("viewBox", `0 0 ${stage.offsetWidth} ${stage.offsetHeight}`);
    let paths = "";
    const line = (reader, way, thin = "") => { paths += `<path class="bx-path-${reader}${thin}" d="${way}"/>`; };
    const tip = (reader, x, y) => { paths += `<path class="bx-tip-${reader}" d="M${x} ${y}l-4.5 8h9z"/>`; };
    const bands = [...stage.querySelectorAll(".bx-band")];
    const bandOf = (reader, layer) => bands.find((band) => band.dataset.reader === reader && Number(band.dataset.layer) === layer);
    const cellsOf = (band) => [...band.querySelectorAll(".bx-state")].map(box);
    const rail = (reader, layer, step, to) => {
      const band = bandOf(reader, layer);
      const cells = cellsOf(band);
      const foot = box(band).bottom + 3;
      const from = reader === "forward" ? cells[0].left + 2 : cells[now.read - 1].right - 2;
      line(reader, `M${from} ${foot}H${to(cells[step])}`, " bx-rail");
      return foot;
    };
    const top = now.net.layers - 1;
    for (const { step, reader } of halves()) {
      if (step >= now.read) continue; // zeros: nothing has come there
      const target = box(stage.querySelectorAll(".bx-pair")[step].querySelector(`.bx-half-${reader}`));
      const beside = ({ left, right }) => (reader === "forward" ? left + (right - left) / 12 : right - (right - left) / 12);
      const foot = rail(reader, top, step, beside);
      const x = beside(cellsOf(bandOf(reader, top))[step]);
      const end = (target.left + target.right) / 2;
      line(reader, `M${x} ${foot}V${target.bottom + 11}H${end}V${target.bottom + 7}`);
      tip(reader, end, target.bottom + 1);
    }
    for (let layer = top - 1; layer >= 0; layer--) {
      const upper = box(bandOf("forward", layer + 1)).bottom;
      for (const [reader, shift] of now.net.bidirectional ? [["forward", -5], ["backward", 5]] : [["forward", 0]]) {
        const band = bandOf(reader, layer);
        const cells = cellsOf(band);
        const steps = cells.map((_, t) => t).filter((t) => t < now.read && ["forward", "backward"].some((one) => bandOf(one, layer + 1) && through(one, layer + 1, t)));
        if (!steps.length) continue;
        rail(reader, layer, reader === "forward" ? steps.at(-1) : steps[0], (cell) => (cell.left + cell.right) / 2 + shift);
        for (const t of steps) {
          const x = (cells[t].left + cells[t].right) / 2 + shift;
          line(reader, `M${x} ${box(bands.find((one) => Number(one.dataset.layer) === layer)).top}V${upper + 13}`, " bx-thin");
          tip(reader, x, upper + 6);
        }
      }
    }
    const ground = box(bandOf("forward", 0)).bottom;
    stage.querySelectorAll(".bx-tile").forEach((tile, t) => {
      const { left, right, top: roof } = box(tile);
      for (const [reader, shift] of [["forward", -5], ["backward", 5]]) {
        if (!bandOf(reader, 0) || t >= now.read || !through(reader, 0, t)) continue;
        line(reader, `M${(left + right) / 2 + shift} ${roof}V${ground + 5}`, " bx-thin");
      }
    });
    lines.innerHTML = paths;
  }

  function tell() {
    sentence.innerHTML = now.summary === "none" ? outputSentence(now) : summarySentence(now);
    tabulate();
  }

  function tabulate() {
    const found = now.found;
    const rows = now.ids.map((_, t) => {
      const best = bestOf(now.probabilities[t]);
      const tag = library.tags[best];
      const both = (one) => `${aloud(one)}${one === "_" ? "" : ` (${aloud(one, true)})`}`;
      const right = now.right ? `<td>${both(now.right[t])}</td>` : "";
      const reaching = found ? found.reaches.map((outputs, place) => (outputs[t] ? now.word[place] ?? "pad" : "")).filter(Boolean).join(" ") : "…";
      return `<tr><th scope="row">${t}</th><td>${now.word[t]}</td><td>${both(tag)}</td><td>${share(now.probabilities[t][best])}</td>${right}<td>${reaching}</td></tr>`;
    });
    const heads = ["output", "letter", "sound", "probability", ...(now.right ? ["dictionary"] : []), "reached by"];
    table.innerHTML = `<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join("")}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
  }

  // After the picture is there, and never long at a time: what each letter does to each output.
  function measure() {
    const ask = asked;
    const drawn = now;
    const steps = influence(drawn.net, drawn.ids, drawn.readPads, drawn);
    const go = () => {
      if (ask !== asked || !stage.isConnected) return;
      const until = performance.now() + 30;
      while (performance.now() < until) {
        const { done, value } = steps.next();
        if (!done) { drawn.growing = value; continue; }
        drawn.found = drawn.growing;
        fillMap();
        weigh();
        tabulate();
        return;
      }
      setTimeout(go);
    };
    setTimeout(go, 60);
  }

  function fillMap() {
    const { reaches } = now.found;
    const deep = now.net.layers > 1 && now.net.bidirectional;
    stage.querySelectorAll(".bx-map-row").forEach((row, t) => {
      row.querySelectorAll("b").forEach((cell, place) => {
        if (!reaches[place]?.[t]) return;
        // By which reader: through two layers both ways, and of its own letter, by both.
        const both = now.net.bidirectional && (deep || place === t);
        cell.className = both ? "bx-by-both" : place <= t ? "bx-half-forward" : "bx-half-backward";
      });
    });
  }

  function weigh() {
    const { at, found, ids, word, net } = now;
    if (!found) return;
    const lost = ids.map((_, place) => found.lost[place][at]);
    stage.querySelectorAll(".bx-bar i").forEach((bar, t) => {
      bar.hidden = !found.reaches[t][at];
      bar.style.height = `${Math.round(34 * Math.max(0, lost[t]))}px`;
      const both = net.bidirectional && (net.layers > 1 || t === at);
      bar.className = both ? "bx-by-both" : t <= at ? "bx-half-forward" : "bx-half-backward";
    });
    const most = bestOf(lost.map((value, t) => (t === at ? -1 : value)));
    if (now.summary === "none" && lost.length > 1 && most !== at && lost[most] > 0.05) {
      sentence.innerHTML += ` Besides its own letter it hangs most on <strong>${word[most]}</strong>: with another letter there, this answer loses ${Math.round(100 * lost[most])} points on average.`;
    }
  }

  // An output that is pointed at, clicked or reached by keyboard. A summary gives way to it, unless
  // the pointer only passes.
  function choose(t, passing = false) {
    if (passing && (problem.textContent || now.summary !== "none" || stage.contains(document.activeElement))) return;
    state.at = t;
    if (now.summary !== "none") {
      pick({ summary: "none" });
    } else if (t !== now.at) {
      now.at = t;
      light();
      tell();
      weigh();
      keep();
    }
    if (!passing) stage.querySelectorAll(".bx-answer")[t].focus();
  }

  stage.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: now.at - 1, ArrowRight: now.at + 1, Home: 0, End: now.ids.length - 1 }[event.key];
    if (to === undefined || to < 0 || to >= now.ids.length) return;
    event.preventDefault();
    choose(to);
  });

  // ── time ──────────────────────────────────────────────────────────────────────────────────
  // The forward reader has read k steps from the left, the backward reader k from the right. A layer
  // that reads both readers of the one below has to wait for them; else it follows by one step.
  const delay = (layer) => layer * (now.net.bidirectional ? now.read : 1);
  let timer = null;
  function reach(k) {
    const all = k >= now.read + delay(now.net.layers - 1);
    const isRead = (reader, layer, t) => {
      const done = k - delay(layer);
      return reader === "forward" ? t < done : t >= now.read - done;
    };
    for (const band of stage.querySelectorAll(".bx-band")) {
      const { reader, layer } = band.dataset;
      for (const cell of band.querySelectorAll(".bx-state")) {
        cell.classList.toggle("bx-unread", !isRead(reader, Number(layer), Number(cell.dataset.step)));
      }
      // A band is coloured as far as its reader has come.
      const done = Math.max(0, Math.min(now.read, k - delay(Number(layer))));
      const [from, to] = reader === "forward" ? [0, done] : [now.read - done, now.read];
      band.style.setProperty("--from", from / now.steps);
      band.style.setProperty("--to", to / now.steps);
    }
    const top = now.net.layers - 1;
    const isThere = (t) => isRead("forward", top, t) && (!now.net.bidirectional || isRead("backward", top, t));
    for (const pair of stage.querySelectorAll(".bx-pair")) {
      for (const half of pair.children) half.classList.toggle("bx-unread", !isRead(half.className.match(/forward|backward/)[0], top, Number(pair.dataset.step)));
    }
    stage.querySelectorAll(".bx-answer").forEach((button, t) => button.classList.toggle("bx-unread", !isThere(t)));
    stage.classList.toggle("bx-reading", !all);
    progress.innerHTML = all ? (now.net.bidirectional ? "Both readers are through." : "The reader is through.") : progressSentence(now, k, delay);
    slider.setAttribute("aria-valuetext", progress.textContent);
  }
  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶ Read";
  }
  const advance = () => {
    slider.value = Number(slider.value) + 1;
    reach(Number(slider.value));
  };
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
      advance();
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
