// A state as it is drawn: squares of cells.
const SHOWN = 16; // units of each state, in four rows
const CELL = 14;
const number = (value) => Math.round(value * 10) / 10;

// A state as squares: as large as the number, filled if it is positive.
function squares(state, reader) {
  let filled = "";
  let open = "";
  for (let i = 0; i < Math.min(SHOWN, state.length); i++) {
    const size = (CELL - 1.5) * Math.max(Math.min(Math.abs(state[i]), 1), 0.12);
    const left = number((i % 4 + 0.5) * CELL - size / 2);
    const top = number((Math.floor(i / 4) + 0.5) * CELL - size / 2);
    const side = number(size);
    const square = `M${left} ${top}h${side}v${side}h${-side}z`;
    if (state[i] > 0) filled += square;
    else open += square;
  }
  return `<svg viewBox="0 0 ${4 * CELL} ${4 * CELL}" aria-hidden="true" class="bx-svg">` +
    `<path d="${filled}" class="bx-filled-${reader}"/><path d="${open}" class="bx-open-${reader}"/></svg>`;
}
