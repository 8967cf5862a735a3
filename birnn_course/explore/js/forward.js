// What nn.RNN, nn.GRU and nn.LSTM compute, in doubles: the weights are PyTorch's, so are the names.

// One step of each cell: from gates of the input x and of the state s (flat, gate after gate) and
// the states before to the n states after. Only an LSTM has a second state, c.
const sigmoid = v => 1 / (1 + Math.exp(-v));
const STEPS = {
    rnn: (x, s, n, before, after) => {
        for (let k = 0; k < n; k++) after.h[k] = Math.tanh(x[k] + s[k]);
    },
    gru: (x, s, n, before, after) => {
        for (let k = 0; k < n; k++) {
            const r = sigmoid(x[k] + s[k]);
            const z = sigmoid(x[n + k] + s[n + k]);
            const candidate = Math.tanh(x[2 * n + k] + r * s[2 * n + k]);
            after.h[k] = (1 - z) * candidate + z * before.h[k];
        }
    },
    lstm: (x, s, n, before, after) => {
        for (let k = 0; k < n; k++) {
            const gate = i => x[i * n + k] + s[i * n + k];
            const c = sigmoid(gate(1)) * before.c[k] + sigmoid(gate(0)) * Math.tanh(gate(2));
            after.c[k] = c;
            after.h[k] = sigmoid(gate(3)) * Math.tanh(c);
        }
    },
};
const GATES = {rnn: 1, gru: 3, lstm: 4};

// 16-bit floats in base64, as they lie in memory.
function halves(text) {
    const bytes = atob(text);
    const numbers = new Float64Array(bytes.length / 2);
    for (let i = 0; i < numbers.length; i++) {
        const bits = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
        const exponent = (bits >> 10) & 31;
        const fraction = (bits & 1023) / 1024;
        const size = exponent ? 2 ** (exponent - 15) * (1 + fraction) : 2 ** -14 * fraction;
        numbers[i] = bits >> 15 ? -size : size;
    }
    return numbers;
}

// Weights as they are stored, {name: [shape, base64], …}, as flat numbers.
const unpacked = weights => Object.fromEntries(
    Object.entries(weights).map(([name, [, data]]) => [name, halves(data)]));

// A matrix (rows, columns), flat and row after row, times a vector, plus a bias.
function affine(matrix, vector, bias) {
    const width = vector.length;
    const result = Float64Array.from(bias);
    for (let row = 0, at = 0; row < result.length; row++) {
        let sum = result[row];
        for (let j = 0; j < width; j++, at++) sum += matrix[at] * vector[j];
        result[row] = sum;
    }
    return result;
}

// One vector after the other.
function joined(a, b) {
    const both = new Float64Array(a.length + b.length);
    both.set(a);
    both.set(b, a.length);
    return both;
}

// One reader over all inputs, in the order in which it meets them: its states, {h, c} each.
function read(cell, weights, suffix, inputs) {
    const part = name => weights[`${name}_${suffix}`];
    const n = part('bias_hh').length / GATES[cell];
    let state = {h: new Float64Array(n), c: new Float64Array(n)};
    return inputs.map(input => {
        const x = affine(part('weight_ih'), input, part('bias_ih'));
        const s = affine(part('weight_hh'), state.h, part('bias_hh'));
        const after = {h: new Float64Array(n), c: new Float64Array(n)};
        STEPS[cell](x, s, n, state, after);
        state = after;
        return after;
    });
}

// The states of each layer: [{forward: [h of step 0, …], backward: the same or null, last}, …];
// last has the c of each reader after its last step.
function layersOf({cell, layers, bidirectional, weights}, inputs) {
    const found = [];
    for (let layer = 0; layer < layers; layer++) {
        const onward = read(cell, weights, `l${layer}`, inputs);
        const back = bidirectional
            ? read(cell, weights, `l${layer}_reverse`, [...inputs].reverse())
            : null;
        const forward = onward.map(state => state.h);
        const backward = back && back.map(state => state.h).reverse();
        found.push({forward, backward, last: {forward: onward.at(-1).c, backward: back?.at(-1).c}});
        inputs = forward.map((h, t) => backward ? joined(h, backward[t]) : h);
    }
    return found;
}
