// What nn.RNN, nn.GRU and nn.LSTM compute, in doubles: the weights are PyTorch's, so are the names.

// One step of each cell: from gates of the input and of the state (flat, gate after gate) and the
// states before to the states after. Only an LSTM has a second state, c.
const sigmoid = v => 1 / (1 + Math.exp(-v));
const STEPS = {
    rnn: (x, s, k) => ({h: Math.tanh(x[k] + s[k])}),
    gru: (x, s, k, n, before) => {
        const r = sigmoid(x[k] + s[k]);
        const z = sigmoid(x[n + k] + s[n + k]);
        const candidate = Math.tanh(x[2 * n + k] + r * s[2 * n + k]);
        return {h: (1 - z) * candidate + z * before.h[k]};
    },
    lstm: (x, s, k, n, before) => {
        const gate = i => x[i * n + k] + s[i * n + k];
        const c = sigmoid(gate(1)) * before.c[k] + sigmoid(gate(0)) * Math.tanh(gate(2));
        return {h: sigmoid(gate(3)) * Math.tanh(c), c};
    },
};
const GATES = {rnn: 1, gru: 3, lstm: 4};

// A matrix (rows, columns), flat and row after row, times a vector, plus a bias.
function affine(matrix, vector, bias) {
    const width = vector.length;
    return Float64Array.from(bias, (start, row) => {
        let sum = start;
        for (let j = 0, at = row * width; j < width; j++, at++) sum += matrix[at] * vector[j];
        return sum;
    });
}

// One reader over all inputs, in the order in which it meets them.
function read(cell, weights, suffix, inputs) {
    const part = name => weights[`${name}_${suffix}`];
    const n = part('bias_hh').length / GATES[cell];
    let state = {h: new Float64Array(n), c: new Float64Array(n)};
    return inputs.map(input => {
        const x = affine(part('weight_ih'), input, part('bias_ih'));
        const s = affine(part('weight_hh'), state.h, part('bias_hh'));
        const after = {h: new Float64Array(n), c: new Float64Array(n)};
        for (let k = 0; k < n; k++) {
            const {h, c = 0} = STEPS[cell](x, s, k, n, state);
            after.h[k] = h;
            after.c[k] = c;
        }
        state = after;
        return after.h;
    });
}

// The states of each layer: [{forward: [h of step 0, …], backward: the same or null}, …].
function layersOf({cell, layers, bidirectional, weights}, inputs) {
    const found = [];
    for (let layer = 0; layer < layers; layer++) {
        const forward = read(cell, weights, `l${layer}`, inputs);
        const backward = bidirectional
            ? read(cell, weights, `l${layer}_reverse`, [...inputs].reverse()).reverse()
            : null;
        found.push({forward, backward});
        inputs = forward.map((h, t) => backward ? Float64Array.of(...h, ...backward[t]) : h);
    }
    return found;
}
