// Which slice is which? What a module returns as a slab and stacks, and what a slice of it has read.
//
// The module runs here, with weights that PyTorch has made; see returned.js. Shapes are hidden from
// screen readers: what they say stands in the sentence and in the table.

const listed = (steps, all) => {
  if (!steps.length) return "no step";
  if (steps.length === 1) return `step ${steps[0]} only`;
  const run = steps.at(-1) - steps[0] === steps.length - 1;
  const which = run ? `${steps[0]} to ${steps.at(-1)}` : steps.join(", ");
  return steps.length === all ? `every step, ${which},` : `steps ${which}`;
};
const tuple = (shape) => `(${shape.join(", ")}${shape.length === 1 ? "," : ""})`;
const inInk = (reader, text) => `<span class="bx-${reader}">${text}</span>`;
const escaped = (text) => make("span", { textContent: text }).innerHTML;

function render({ model, el }) {
  const library = model.get("library");
  const state = { ...model.get("values") };
  const nets = {};
  const vectors = halves(library.x[1]);
  const [, longest, size] = library.x[0];
  const inputs = (batch, steps) => upTo(batch).map((i) => upTo(steps).map((t) => vectors.subarray((i * longest + t) * size, (i * longest + t + 1) * size)));

  const { nodes: choices, pick, free } = choicesOf(model, state, change);
  const own = make("input", { type: "text", className: "bs-own", spellcheck: false, autocomplete: "off", autocapitalize: "none", maxLength: 120 });
  own.addEventListener("input", () => change({ slice: own.value.trim() }, own));
  const ownControl = make("label", { className: "bx-choice" }, make("span", { className: "bx-label", textContent: "Your own slice" }), own);
  const showOwn = () => { ownControl.hidden = free.getAttribute("aria-expanded") !== "true" && !free.hidden; };
  free.addEventListener("click", showOwn);

  const stage = make("div", { className: "bs-stage" });
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const table = make("div", { className: "birnn-picture" });
  const details = make("details", {}, make("summary", { textContent: "The same as a table" }), table);
  const heading = make("div", { className: "birnn-heading", textContent: model.get("heading") });
  const root = frame("bx bs", heading,
    make("div", { className: "bx-controls" }, ...Object.values(choices), ownControl),
    make("div", { className: "bx-body" }, stage, make("div", { className: "bx-side" },
      sentence, details, make("p", { className: "bx-note", textContent: model.get("note") }), make("div", { className: "bx-more" }, free))));

  let run = null; // what is drawn
  let found = null; // the slice in it, or null
  let problem = "";

  function change(values, from) {
    Object.assign(state, values);
    if (from !== own && state.slice !== own.value) own.value = "slice" in values ? state.slice : own.value;
    draw();
    model.set("values", { ...state });
    model.save_changes();
  }

  function draw() {
    const name = `${state.kind}, ${state.reads}`;
    const net = (nets[name] ??= { ...library.nets[name], weights: unpacked(library.nets[name].weights) });
    const options = { layers: Number(state.layers), batchFirst: state.batch_first === "True" };
    const x = inputs(Number(state.batch), Number(state.seq_len));
    const runOn = (changed) => returned(net, options, changed);
    run = runOn(x);
    found = null;
    problem = "";
    try {
      found = state.slice ? measured(state.slice, x, runOn) : null;
    } catch (error) {
      if (!(error instanceof SliceError)) throw error;
      problem = error.message.replace(/\.$/, "");
    }
    lay();
    light();
    tell();
    tabulate();
  }

  // ── the picture ───────────────────────────────────────────────────────────────────────────
  const cell = (reader, key) => {
    const node = make("i", { className: `bs-cell bx-half-${reader}` });
    node.dataset.key = key;
    return node;
  };
  const hidden = (node) => { node.setAttribute("aria-hidden", "true"); return node; };
  const title = (name, axes) => make("p", { className: "bs-title" }, `${name} `, make("span", { textContent: `(${axes.join(", ")})` }));

  // A button that asks for a slice; the arrow keys go from one to the next of its kind.
  function picks(kind, slices, text) {
    return slices.map((slice, i) => {
      const button = make("button", { type: "button", className: "bs-pick" });
      button.append(...text(i));
      button.dataset.slice = slice;
      button.dataset.kind = kind;
      button.addEventListener("click", () => pick({ slice }));
      return button;
    });
  }

  function lay() {
    const focused = stage.contains(document.activeElement) ? document.activeElement.dataset.slice : null;
    const { batch, steps, hidden: width, readers, tensors } = run;
    const axes = [`batch ${batch}`, `seq_len ${steps}`];
    const features = `${readers.length === 2 ? "2 × " : ""}hidden ${width}`;
    const samples = [...upTo(batch)].reverse();
    const slab = hidden(make("div", { className: "bs-slab" }, ...samples.map((sample) => {
      const sheet = make("div", { className: "bs-sheet" }, ...[...readers.keys()].reverse().flatMap((half) => upTo(steps).map((t) => cell(readers[half], `output/${sample}/${t}/${half}`))));
      sheet.style.setProperty("--sample", sample);
      return sheet;
    })));
    const halfNames = hidden(make("div", { className: "bs-halves" }, ...[...readers.keys()].reverse().map((half) =>
      make("span", { className: `bx-${readers[half]}`, textContent: `${half ? half * width : ""}:${(half + 1) * width} ${readers[half]}` }))));
    const ofStep = upTo(steps).map((t) => (run.batchFirst ? `output[:, ${t}]` : `output[${t}]`));
    const numbers = make("div", { className: "bs-steps" }, ...picks("step", ofStep, (t) => [`${t}`]));
    numbers.querySelectorAll("button").forEach((button, t) => button.setAttribute("aria-label", `Step ${t}: ${ofStep[t]}`));
    const rows = [
      title("output", [...(run.batchFirst ? axes : axes.reverse()), features]),
      make("div", { className: "bs-row" }, slab, halfNames, numbers, hidden(make("span", { className: "bs-axis", textContent: batch > 1 ? "step →, batch ↗" : "step →" }))),
    ];
    const stacks = make("div", { className: "bs-stacks" });
    for (const name of ["h_n", "c_n"].filter((each) => tensors[each])) {
      const n = tensors[name].shape[0];
      const buttons = picks(name, upTo(n).map((i) => `${name}[${i}]`), (i) => {
        const owner = ownerOf(run, name, i);
        const label = `${owner.reader}${run.layers > 1 ? `, layer ${owner.layer + 1}` : ""}`;
        return [make("code", { textContent: `${name}[${i}]` }), " ", make("small", { className: `bx-${owner.reader}`, textContent: label })];
      });
      stacks.append(make("div", { className: "bs-stack" }, title(name, [n, `batch ${batch}`, `hidden ${width}`]), ...buttons.map((button, i) => {
        const pile = hidden(make("div", { className: "bs-pile" }, ...samples.map((sample) => {
          const one = cell(ownerOf(run, name, i).reader, `${name}/${sample}/${i}`);
          one.style.setProperty("--sample", sample);
          return one;
        })));
        return make("div", { className: "bs-block" }, pile, button);
      })));
    }
    rows.push(stacks);
    if (found) {
      const has = make("div", { className: "bs-title" }, make("code", { textContent: found.text }), ` ${tuple(found.shape)} `, make("span", { textContent: "has read" }));
      rows.push(has, ...found.parts.map((part) => {
        const below = part.layer < run.layers - 1 ? `, layer ${part.layer + 1}` : "";
        const tiles = make("div", { className: "bs-sheet" }, ...upTo(steps).map((t) => make("i", { className: `bs-cell ${part.steps.includes(t) ? `bx-half-${part.reader}` : "bs-unread"}` })));
        return hidden(make("div", { className: "bs-row bs-has" }, make("div", {}, tiles), make("span", { className: `bx-${part.reader}`, textContent: part.share + below })));
      }));
    }
    const lines = hidden(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
    lines.setAttribute("class", "bs-lines");
    stage.style.setProperty("--steps", steps);
    stage.style.setProperty("--behind", batch - 1);
    stage.replaceChildren(...rows, lines);
    const buttons = [...stage.querySelectorAll(".bs-pick")];
    for (const kind of ["step", "h_n", "c_n"]) {
      const group = buttons.filter((button) => button.dataset.kind === kind);
      const chosen = group.find((button) => button.dataset.slice === state.slice) ?? group[0];
      for (const button of group) {
        button.tabIndex = button === chosen ? 0 : -1;
        button.setAttribute("aria-pressed", String(button.dataset.slice === state.slice));
      }
    }
    if (focused) buttons.find((button) => button.dataset.slice === focused)?.focus();
  }

  stage.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const { kind } = event.target.dataset;
    if (!way || !kind) return;
    event.preventDefault();
    const group = [...stage.querySelectorAll(`[data-kind="${kind}"]`)];
    const to = group[group.indexOf(event.target) + way];
    if (!to) return;
    to.focus();
    pick({ slice: to.dataset.slice });
  });

  function light() {
    const lit = new Set((found?.places ?? []).map((place) => {
      const { name, sample, step, half, block } = placeOf(run, place);
      return name === "output" ? `output/${sample}/${step}/${half}` : `${name}/${sample}/${block}`;
    }));
    for (const node of stage.querySelectorAll("[data-key]")) node.classList.toggle("bs-lit", lit.has(node.dataset.key));
    connect();
  }

  // From each block of h_n to the places in output where the same numbers stand.
  function connect() {
    const lines = stage.querySelector(".bs-lines");
    if (!lines || !stage.clientWidth) return;
    const box = boxesOn(stage);
    const keyed = (key) => stage.querySelector(`[data-key="${key}"]`);
    lines.setAttribute("viewBox", `0 0 ${stage.offsetWidth} ${stage.offsetHeight}`);
    const gutter = box(stage.querySelector(".bs-row")).left;
    const below = box(stage.querySelector(".bs-steps")).bottom + 5;
    let paths = "";
    for (const i of upTo(run.tensors.h_n.shape[0])) {
      for (const { step, half, reader } of standing(run, "h_n", i)) {
        const from = keyed(`output/0/${step}/${half}`);
        from.classList.add("bs-final");
        const [start, end] = [box(from), box(keyed(`h_n/0/${i}`))];
        const y = (end.top + end.bottom) / 2;
        const middle = (start.top + start.bottom) / 2;
        const way = half === 1
          ? `M${start.left} ${middle}H${gutter * 0.25}V${y}`
          : `M${start.right - 3} ${start.bottom}V${below}H${gutter * 0.6}V${y}`;
        paths += `<path class="bs-line-${reader}" d="${way}H${end.left - 6}"/><path class="bs-tip-${reader}" d="M${end.left} ${y}l-8 -4.5v9z"/>`;
      }
    }
    lines.innerHTML = paths;
  }

  // ── in words ──────────────────────────────────────────────────────────────────────────────
  function tell() {
    const code = `<code>${escaped(state.slice)}</code>`;
    if (!state.slice) {
      sentence.innerHTML = `Ask for a slice, or choose a step or a block. ${KNOWN}`;
    } else if (!found) {
      sentence.innerHTML = `${code} cannot be taken here: ${escaped(problem)}.`;
    } else {
      const parts = found.parts.map((part) => {
        const layer = run.layers > 1 ? ` of layer ${part.layer + 1}` : "";
        return `${part.share} has read ${listed(part.steps, run.steps)} with the ${inInk(part.reader, `${part.reader} reader`)}${layer}`;
      }).join("; ");
      const [ink, text] = verdictOn(found, run);
      const mark = { right: "✓ ", wrong: "✗ " }[ink] ?? "";
      sentence.innerHTML = `${code} has the shape ${tuple(found.shape)}; ${parts}. <strong class="bs-verdict ${ink}">${mark}${text}</strong>`;
    }
  }

  function tabulate() {
    const rows = ["h_n", "c_n"].filter((name) => run.tensors[name]).flatMap((name) => upTo(run.tensors[name].shape[0]).map((i) => {
      const { layer, reader, step } = ownerOf(run, name, i);
      const places = standing(run, name, i).map((place) => {
        const at = run.batchFirst ? `:, ${place.step}` : `${place.step}, :`;
        return `output[${at}, ${place.half * run.hidden}:${(place.half + 1) * run.hidden}]`;
      });
      return [`<code>${name}[${i}]</code>`, tuple([run.batch, run.hidden]), `layer ${layer + 1}, ${reader}, after step ${step}`, places.length ? `<code>${places.join("</code>, <code>")}</code>` : "nothing in output"];
    }));
    const cells = ([first, ...rest]) => `<tr><th scope="row">${first}</th>${rest.map((text) => `<td>${text}</td>`).join("")}</tr>`;
    const heads = ["block", "shape", "final state of", "equals"].map((text) => `<th scope="col">${text}</th>`).join("");
    const shapes = Object.entries(run.tensors).map(([name, { shape }]) => `${name} ${tuple(shape)}`).join(", ");
    table.innerHTML = `<p>${shapes}</p><table><thead><tr>${heads}</tr></thead><tbody>${rows.map(cells).join("")}</tbody></table>`;
  }

  const sized = new ResizeObserver(() => connect());
  sized.observe(stage);
  el.append(root);
  showOwn();
  own.value = state.slice;
  draw();
  return () => sized.disconnect();
}
