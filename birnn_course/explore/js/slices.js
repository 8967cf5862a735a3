// A slice as it is written in Python: which numbers it takes, and what these have read.

class SliceError extends Error {}

function indexed({ shape, places }, items) {
  if (items.length > shape.length) throw new SliceError(`too many indices for tensor of dimension ${shape.length}`);
  const picked = shape.map((n, axis) => {
    const item = items[axis] ?? {};
    if (typeof item === "number") {
      if (item < -n || item >= n) throw new SliceError(`index ${item} is out of bounds for dimension ${axis} with size ${n}`);
      return [item < 0 ? item + n : item];
    }
    const [from, to] = [item.from ?? 0, item.to ?? n].map((at) => Math.max(0, Math.min(n, at < 0 ? at + n : at)));
    return upTo(Math.max(0, to - from)).map((i) => from + i);
  });
  let flat = [0];
  shape.forEach((n, axis) => { flat = flat.flatMap((start) => picked[axis].map((i) => start * n + i)); });
  return {
    shape: picked.map((kept) => kept.length).filter((_, axis) => typeof items[axis] !== "number"),
    places: flat.map((i) => places[i]),
    cut: true,
  };
}

const axisOf = (axis, n) => {
  if (!(axis >= -n && axis < n)) throw new SliceError(`Dimension out of range: ${axis}, and there are ${n}`);
  return axis < 0 ? axis + n : axis;
};

function transposed({ shape, places }, one, other) {
  const order = shape.map((_, axis) => axis);
  const [a, b] = [axisOf(one, shape.length), axisOf(other, shape.length)];
  [order[a], order[b]] = [b, a];
  const strides = shape.map((_, axis) => count(shape.slice(axis + 1)));
  let flat = [0];
  for (const axis of order) flat = flat.flatMap((start) => upTo(shape[axis]).map((i) => start + i * strides[axis]));
  return { shape: order.map((axis) => shape[axis]), places: flat.map((i) => places[i]), cut: true };
}

function reshaped({ places }, sizes) {
  const known = count(sizes.filter((n) => n !== -1));
  const shape = sizes.map((n) => (n === -1 ? places.length / known : n));
  if (count(shape) !== places.length || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new SliceError(`shape '[${sizes.join(", ")}]' is invalid for input of size ${places.length}`);
  }
  return { shape, places };
}

function concatenated(tensors, dim) {
  const [{ shape }] = tensors;
  const axis = axisOf(dim, shape.length);
  const fits = tensors.every((other) => other.shape.length === shape.length && other.shape.every((n, i) => i === axis || n === shape[i]));
  if (!fits) throw new SliceError("Sizes of tensors must match except in the dimension that is joined");
  const places = upTo(count(shape.slice(0, axis))).flatMap((row) => tensors.flatMap((other) => {
    const wide = count(other.shape.slice(axis));
    return other.places.slice(row * wide, (row + 1) * wide);
  }));
  const joinedShape = shape.map((n, i) => (i === axis ? tensors.reduce((sum, other) => sum + other.shape[axis], 0) : n));
  return { shape: joinedShape, places };
}

const KNOWN = "The explorer knows output, h_n, c_n, indices, torch.cat, transpose, reshape, and view of a tensor that nobody has cut.";
const METHODS = {
  transpose: (t, ...axes) => transposed(t, ...axes),
  reshape: (t, ...sizes) => reshaped(t, sizes),
  view: (t, ...sizes) => {
    if (t.cut) throw new SliceError(`view of a tensor that was cut. ${KNOWN} Write reshape`);
    return reshaped(t, sizes);
  },
};

// Reads the text from left to right, and computes on the way.
function taken(text, names) {
  const tokens = text.match(/\d+|[A-Za-z_]\w*|\S/g) ?? [];
  let at = 0;
  const fail = () => { throw new SliceError(KNOWN); };
  const next = (wanted) => (tokens[at] === wanted ? (at++, true) : false);
  const expect = (wanted) => next(wanted) || fail();
  const listUntil = (end, item) => {
    const items = [];
    while (!next(end)) {
      items.push(item());
      if (tokens[at] !== end) expect(",");
    }
    return items;
  };
  const whole = (value) => (typeof value === "number" ? value : fail());
  const isTensor = (value) => (value?.places ? value : fail());

  function item() {
    const edge = () => (tokens[at] === ":" || tokens[at] === "]" || tokens[at] === "," ? undefined : whole(product()));
    const from = edge();
    return next(":") ? { from, to: edge() } : whole(from);
  }
  function product() {
    let value = primary();
    while (next("*")) value = whole(value) * whole(primary());
    return value;
  }
  function primary() {
    if (next("-")) return -whole(primary());
    const name = tokens[at++] ?? fail();
    if (/^\d/.test(name)) return Number(name);
    if (name === "torch") return after(cat());
    if (name === "c_n" && !names.c_n) throw new SliceError("only an LSTM returns c_n");
    return Object.hasOwn(names, name) ? after(names[name]) : fail();
  }
  function cat() {
    expect("."); expect("cat"); expect("("); expect("[");
    const tensors = listUntil("]", () => isTensor(product()));
    if (!tensors.length) fail();
    let dim = 0;
    if (next(",")) {
      if (next("dim")) expect("=");
      dim = whole(product());
    }
    expect(")");
    return concatenated(tensors, dim);
  }
  function after(value) {
    for (;;) {
      if (next("[")) value = indexed(isTensor(value), listUntil("]", item));
      else if (next(".")) {
        const method = METHODS[tokens[at++]] ?? fail();
        expect("(");
        value = method(isTensor(value), ...listUntil(")", () => whole(product())));
      } else return value;
    }
  }
  const value = isTensor(product());
  if (at < tokens.length) fail();
  if (!value.places.length) throw new SliceError(`it takes nothing: its shape is (${value.shape.join(", ")})`);
  return value;
}

// What a slice takes from a run, and what its numbers have read: the module is run again with each
// step changed, and with each sample.
function measured(text, x, runOn) {
  const run = runOn(x);
  const names = { ...run.tensors, B: run.batch, T: run.steps, H: run.hidden, num_layers: run.layers };
  const { shape, places } = taken(text, names);
  const moved = (changes) => {
    const { numbers } = runOn(x.map((sample, i) => sample.map((vector, t) => (changes(i, t) ? vector.map((v) => v + 1) : vector))));
    return places.map((place) => numbers[place] !== run.numbers[place]);
  };
  const bySteps = upTo(run.steps).map((step) => moved((_, t) => t === step));
  const bySamples = upTo(run.batch).map((sample) => moved((i) => i === sample));
  const parts = new Map();
  const owners = {};
  places.forEach((place, k) => {
    const { name, half, block } = placeOf(run, place);
    const owner = name === "output" ? { layer: run.layers - 1, reader: run.readers[half] } : (owners[name + block] ??= ownerOf(run, name, block));
    const steps = upTo(run.steps).filter((t) => bySteps[t][k]);
    const key = JSON.stringify([owner.reader, owner.layer, steps]);
    parts.set(key, { reader: owner.reader, layer: owner.layer, steps, n: (parts.get(key)?.n ?? 0) + 1 });
  });
  const wide = shape.at(-1);
  const rows = shape.length === 2 ? upTo(shape[0]).map((row) => upTo(run.batch).filter((sample) => bySamples[sample].slice(row * wide, (row + 1) * wide).includes(true))) : [];
  return {
    text, shape, places,
    parts: [...parts.values()].map((part) => ({ ...part, share: shareOf(part.n, places.length) })),
    mixed: rows.find((samples) => samples.length > 1) ?? [],
  };
}

const shareOf = (n, of) => (n === of ? "all of it" : 2 * n === of ? "half of it" : `${n} of its ${of} numbers`);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

// Whether it can stand for the whole sequences, in the words of birnn_course.draw.slices.
function verdictOn({ parts, mixed }, { steps, layers, readers }) {
  if (mixed.length) return ["wrong", `A row of it has read sequences ${mixed.join(" and ")}: they are mixed.`];
  const short = parts.filter((part) => part.steps.length < steps);
  if (short.length) {
    const least = short.reduce((a, b) => (b.steps.length < a.steps.length ? b : a));
    const n = least.steps.length;
    return ["wrong", `${capital(least.share)} has read ${n === 1 ? "one step only" : `${n} of ${steps} steps`}.`];
  }
  const lower = [...new Set(parts.map((part) => part.layer + 1))].filter((layer) => layer < layers).sort();
  if (lower.length) {
    return ["text", `It has read every step, but there is ${lower.map((layer) => `layer ${layer}`).join(" and ")} in it, not only the last.`];
  }
  const found = [...new Set(parts.map((part) => part.reader))];
  if (found.length < readers.length) return ["text", `It has read every step, with the ${found[0]} reader alone.`];
  return ["right", `All of it has read every step${readers.length === 2 ? ", from both ends" : ""}.`];
}
