// A speller as PyTorch has stored it: letters in, a sound for each letter out.

// 16-bit floats in base64, as they lie in memory.
function halves(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 2 }, (_, i) => {
    const bits = view.getUint16(2 * i, true);
    const sign = bits >> 15 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = (bits & 1023) / 1024;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction);
  });
}

function tagger({ cell, layers, bidirectional, weights }) {
  const own = Object.fromEntries(Object.entries(weights).map(([name, [, data]]) => [name, halves(data)]));
  return { cell, layers, bidirectional, weights: own, width: weights["embedding.weight"][0][1] };
}

const lettersOf = (word) => [...word].map((letter) => letter.charCodeAt(0) - 97);

// The vector of each letter, and of so many pads after them: zeros.
function embedded(net, ids, pads) {
  const row = (id) => net.weights["embedding.weight"].subarray(id * net.width, (id + 1) * net.width);
  return [...ids.map(row), ...Array.from({ length: pads }, () => new Float64Array(net.width))];
}

// One reading: the states of all layers, and at each step the probability of each tag.
function reading(net, ids, pads = 0) {
  const layers = layersOf(net, embedded(net, ids, pads));
  const { forward, backward } = layers.at(-1);
  const probabilities = forward.map((h, t) => {
    const output = backward ? Float64Array.of(...h, ...backward[t]) : h;
    const scores = affine(net.weights["head.weight"], output, net.weights["head.bias"]);
    const highest = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - highest));
    const sum = powers.reduce((a, b) => a + b);
    return powers.map((power) => power / sum);
  });
  return { layers, probabilities };
}

const bestOf = (numbers) => numbers.indexOf(Math.max(...numbers));

// How much an answer hangs on each letter: what its probability loses, on average over the 25 other
// letters that could stand there.
function reliance(net, ids, pads, at) {
  const { probabilities } = reading(net, ids, pads);
  const tag = bestOf(probabilities[at]);
  return ids.map((own, place) => {
    let lost = 0;
    for (let other = 0; other < 26; other++) {
      if (other === own) continue;
      const changed = ids.with(place, other);
      lost += probabilities[at][tag] - reading(net, changed, pads).probabilities[at][tag];
    }
    return lost / 25;
  });
}
