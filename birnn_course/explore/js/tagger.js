// A speller as PyTorch has stored it: letters in, a sound for each letter out.

function tagger({ cell, layers, bidirectional, weights }) {
  return { cell, layers, bidirectional, weights: unpacked(weights), width: weights["embedding.weight"][0][1] };
}

const lettersOf = (word) => [...word].map((letter) => letter.charCodeAt(0) - 97);

// The vector of each letter, and of so many pads after them: zeros, or the letter that stands
// in the place of one. A letter that is covered, -1, is zeros too.
function embedded(net, ids, pads, instead) {
  const row = (id) => id < 0 ? new Float64Array(net.width) : net.weights["embedding.weight"].subarray(id * net.width, (id + 1) * net.width);
  const pad = (_, i) => ids.length + i in instead ? row(instead[ids.length + i]) : new Float64Array(net.width);
  return [...ids.map(row), ...Array.from({ length: pads }, pad)];
}

// One reading: the states of all layers, and at each step the probability of each tag.
function reading(net, ids, pads = 0, instead = {}) {
  const layers = layersOf(net, embedded(net, ids, pads, instead));
  const { forward, backward } = layers.at(-1);
  const probabilities = forward.map((h, t) => {
    const output = backward ? joined(h, backward[t]) : h;
    const scores = affine(net.weights["head.weight"], output, net.weights["head.bias"]);
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  });
  return { layers, probabilities };
}

const bestOf = (numbers) => numbers.indexOf(Math.max(...numbers));

// What each letter does to each output, measured by putting the 25 others in its place: how much
// probability the answers lose on average, and whether anything changes at all. Of a pad only the
// second can be said. It takes a while, so it pauses after each reading; `lost` and `reaches` grow
// by one place after another.
function* influence(net, ids, pads, { probabilities }) {
  const best = probabilities.map(bestOf);
  const found = { lost: [], reaches: [] };
  for (let place = 0; place < ids.length + pads; place++) {
    const letter = place < ids.length;
    const lost = new Float64Array(probabilities.length);
    const reaches = probabilities.map(() => false);
    for (let other = 0; other < (letter ? 26 : 3); other++) {
      if (other === ids[place]) continue;
      const changed = letter ? reading(net, ids.with(place, other), pads) : reading(net, ids, pads, { [place]: other });
      probabilities.forEach((before, t) => {
        const after = changed.probabilities[t];
        lost[t] += (before[best[t]] - after[best[t]]) / 25;
        reaches[t] ||= before.some((value, tag) => value !== after[tag]);
      });
      yield found;
    }
    found.lost.push(lost);
    found.reaches.push(reaches);
  }
}
