// What a recurrent module returns, all numbers in one row, and the tensors as places in that row.
// Tests hold every number, every shape and every place to PyTorch.

const READERS = ["forward", "backward"];
const count = (shape) => shape.reduce((a, b) => a * b, 1);
const upTo = (n) => Array.from({ length: n }, (_, i) => i);

// x: for each sample the vectors of its steps.
function returned(net, { layers, batchFirst }, x) {
  const all = x.map((inputs) => layersOf({ ...net, layers }, inputs));
  const readers = READERS.slice(0, net.bidirectional ? 2 : 1);
  const [batch, steps, hidden] = [x.length, x[0].length, all[0][0].forward[0].length];
  const numbers = [];
  for (const found of all) {
    for (const t of upTo(steps)) for (const reader of readers) numbers.push(...found.at(-1)[reader][t]);
  }
  const shape = [batch, steps, readers.length * hidden];
  const output = { shape, places: upTo(count(shape)) };
  const tensors = { output: batchFirst ? output : transposed(output, 0, 1) };
  const stack = (name, stateOf) => {
    const first = numbers.length;
    for (const layer of upTo(layers)) for (const reader of readers) for (const found of all) numbers.push(...stateOf(found[layer], reader));
    tensors[name] = {
      shape: [layers * readers.length, batch, hidden],
      places: upTo(numbers.length - first).map((i) => first + i),
    };
  };
  const arrived = (states, reader) => states[reader].at(reader === "forward" ? -1 : 0);
  stack("h_n", arrived);
  if (net.cell === "lstm") stack("c_n", (states, reader) => states.last[reader]);
  return { numbers, tensors, all, readers, batch, steps, hidden, layers, batchFirst };
}

// Whose number a place holds: the tensor, and of output the sample, step and half, of a state the
// sample and the block.
function placeOf({ tensors, readers, batch, steps, hidden }, place) {
  const [first] = tensors.h_n.places;
  const cell = Math.floor((place < first ? place : place - first) / hidden);
  if (place < first) {
    const row = Math.floor(cell / readers.length);
    return { name: "output", sample: Math.floor(row / steps), step: row % steps, half: cell % readers.length };
  }
  const blocks = tensors.h_n.shape[0];
  const block = Math.floor(cell / batch);
  return { name: block < blocks ? "h_n" : "c_n", sample: cell % batch, block: block % blocks };
}

const same = (a, b) => a.every((value, i) => value === b[i]);

// The numbers of one block of a state, sample by sample.
const blockOf = ({ numbers, tensors }, name, i) => {
  const { shape: [, batch, hidden], places } = tensors[name];
  return upTo(batch).map((sample) => upTo(hidden).map((k) => numbers[places[(i * batch + sample) * hidden + k]]));
};

// Each step and half of output where the numbers of a block stand, in all samples.
function standing(run, name, i) {
  const block = blockOf(run, name, i);
  const stands = (t, reader) => block.every((values, sample) => same(values, run.all[sample].at(-1)[reader][t]));
  return upTo(run.steps).flatMap((step) => run.readers.map((reader, half) => ({ step, half, reader })))
    .filter(({ step, reader }) => stands(step, reader));
}

// The layer, the reader and the step after which a block of a state is the state; compared as well.
function ownerOf(run, name, i) {
  const block = blockOf(run, name, i);
  for (const layer of upTo(run.layers)) {
    for (const reader of run.readers) {
      const last = reader === "forward" ? run.steps - 1 : 0;
      const alone = (found) => (name === "c_n" ? found[layer].last[reader] : found[layer][reader][last]);
      if (block.every((values, sample) => same(values, alone(run.all[sample])))) return { layer, reader, step: last };
    }
  }
  return null;
}
