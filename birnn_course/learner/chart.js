// What guesses and results are drawn with: a number with its unit, axes, and curves upon them.
const withUnit = (value, unit) => `${Number(value.toPrecision(12))} ${unit}`.trimEnd();
const within = (value) => Math.min(100, Math.max(0, value));

// Points in percent of a box as a line through marks; the box is positioned.
const lineThrough = (kind, points) => {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `bg-curve bg-curve-${kind}`);
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = `<polyline points="${points.map((p) => p.join(",")).join(" ")}" vector-effect="non-scaling-stroke"/>`;
  const dots = points.map(([left, top]) => {
    const dot = make("i", { className: `bg-dot bg-dot-${kind}` });
    dot.style.cssText = `left:${left}%;top:${top}%`;
    return dot;
  });
  return [svg, ...dots];
};

// Axes with the ends written beside them. `left` and `top` tell where a number lies, in percent.
const axesOf = ({ scale: [low, high], at, unit, xlabel }) => {
  const [first, last] = [at[0], at.at(-1)];
  const left = (place) => last === first ? 50 : 5 + 90 * (place - first) / (last - first);
  const top = (value) => within(100 * (high - value) / (high - low));
  const plot = make("div", { className: "bg-plot" });
  const written = (text, className, style) => {
    const node = make("span", { className, textContent: text });
    node.style.cssText = style;
    return node;
  };
  const middle = (low + high) / 2;
  const node = make("div", { className: "bg-axes" },
    make("div", { className: "bg-ys" }, ...[high, middle, low].map((y) => written(withUnit(y, unit), "bg-tick", `top:${top(y)}%`))),
    plot,
    make("div", { className: "bg-xs" }, ...at.map((x) => written(String(x), "bg-tick", `left:${left(x)}%`))));
  if (xlabel) node.append(make("div", { className: "bg-xlabel" }, make("span", { textContent: xlabel })));
  return { node, plot, left, top, points: (heights) => heights.map((y, i) => [left(at[i]), top(y)]) };
};
