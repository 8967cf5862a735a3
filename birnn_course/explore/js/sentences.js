// What the picture shows, in words. `now` is what is drawn: see reading.js.
const share = (probability) => `${Math.round(100 * probability)} %`;
const counted = (n, what) => `${n} ${what}${n === 1 ? "" : "s"}`;
const byForward = (text) => `<span class="bx-forward">${text}</span>`;
const byBackward = (text) => `<span class="bx-backward">${text}</span>`;

function outputSentence({ word, net, at, readPads }) {
  const start = `Output ${at} (<strong>${word[at]}</strong>)`;
  const upTo = word.slice(0, at + 1);
  const after = word.length - at - 1;
  if (!net.bidirectional) {
    const rest = after ? `the ${counted(after, "letter")} after it cannot reach it` : "it has seen the whole word";
    return `${start} has read ${byForward(upTo)} with the forward reader${net.layers > 1 ? " of each layer" : ""}; ${rest}.`;
  }
  const pads = readPads ? counted(readPads, "pad") : "";
  if (net.layers > 1) {
    return `${start} has seen the whole word${pads && ` and the ${pads}`} through both of its halves: both readers of layer 2 read what both readers of layer 1 have written.`;
  }
  return `${start} has read ${byForward(upTo)} with the forward reader and ${byBackward(word.slice(at))} with the backward reader${pads && `, which began with ${pads}`}.`;
}

// What a summary takes: the step and the reader of each of its halves. Nothing if none is chosen.
function summaryHalves({ summary, net, steps, read }) {
  const forward = (step) => ({ step, reader: "forward" });
  const backward = (step) => ({ step, reader: "backward" });
  if (summary === "output[:, -1]") return net.bidirectional ? [forward(steps - 1), backward(steps - 1)] : [forward(steps - 1)];
  if (summary === "h_n[-1]") return [net.bidirectional ? backward(0) : forward(read - 1)];
  if (summary === "both ends") return net.bidirectional ? [forward(read - 1), backward(0)] : [forward(read - 1)];
  return [];
}

function summarySentence({ summary, word, net, steps, read, readPads }) {
  const pads = readPads ? counted(readPads, "pad") : "";
  const packed = steps > read;
  const deep = net.layers > 1;
  const layer1 = deep ? " What it reads there is layer 1, and that has seen the whole word." : "";
  if (summary === "output[:, -1]") {
    if (packed) return "<code>output[:, -1]</code> stands on the last pad, where a packed word has no output: there are only zeros.";
    if (!net.bidirectional) return `<code>output[:, -1]</code> is the last output: it has read ${byForward(word)}${pads && `, and then ${pads}`}.`;
    if (pads) return `<code>output[:, -1]</code> stands on the last pad: its backward half has read one pad and no letter.${layer1}`;
    return `<code>output[:, -1]</code>: its forward half has read ${byForward(word)}, but its backward half has read only ${byBackward(word.at(-1))}.${layer1}`;
  }
  const own = packed ? ", and no pad" : "";
  if (!net.bidirectional) {
    const name = summary === "h_n[-1]" ? "<code>h_n[-1]</code> is the final state" : "There is one end, the final state";
    return `${name}: it has read ${byForward(word)}${pads && `, and then ${pads}`}${own}.`;
  }
  if (summary === "h_n[-1]") {
    return `<code>h_n[-1]</code> is the final state of the backward reader, at step 0: it has read ${byBackward(word)}${pads && ` after ${pads}`}${own}. The forward reader is not in it.`;
  }
  return `Both ends, <code>h_n[-2]</code> and <code>h_n[-1]</code>: forward at its last step, backward at step 0. Each has read <strong>${word}</strong>${pads && `, the forward reader and then ${pads}, the backward reader after them`}${own}.`;
}

// How far everybody is after k steps: what each reader of each layer has read.
function progressSentence({ word, net, read }, k, delay) {
  const from = (layer) => Math.max(0, Math.min(read, k - delay(layer)));
  const letters = (a, b) => word.slice(a, b) || (b > a ? "pads" : "nothing");
  const one = (layer) => {
    const n = from(layer);
    const left = `the forward reader has read ${byForward(letters(0, n))}`;
    return net.bidirectional ? `${left}, the backward reader ${byBackward(letters(read - n, read))}` : left;
  };
  if (net.layers === 1) return `Step ${k}: ${one(0)}.`;
  if (!from(1)) return `Step ${k}, layer 1: ${one(0)}. Layer 2 waits${net.bidirectional ? " until both are through" : ""}.`;
  if (net.bidirectional) return `Step ${k}, layer 2: it reads what both readers of layer 1 have written, ${counted(from(1), "step")} of ${read}.`;
  return `Step ${k}: layer 2 follows layer 1 by one step.`;
}
