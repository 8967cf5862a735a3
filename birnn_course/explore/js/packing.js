// What pack_padded_sequence(enforce_sorted=False) makes of a batch: in which order it takes the
// sequences, how many are still there at each step, and where each of its rows comes from.
function packing(lengths) {
  const order = lengths.map((_, i) => i).sort((a, b) => lengths[b] - lengths[a]); // ties stay as they are
  const sizes = Array.from({ length: lengths[order[0]] }, (_, t) => lengths.filter((n) => n > t).length);
  const rows = sizes.flatMap((size, t) => order.slice(0, size).map((sequence) => [sequence, t]));
  return { order, sizes, rows };
}
