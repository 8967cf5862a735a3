// A result beside the guess: a sentence, and both on one line, on one pair of axes, or on a picture.
function render({ model, el }) {
  const item = model.get("item");
  const { scale, at, unit } = model.get("axes");
  const truth = model.get("value");
  const picture = model.get("picture");
  const curve = Array.isArray(truth);
  let you = model.get("you");
  const sentence = make("p", { className: "birnn-sentence" });
  sentence.setAttribute("role", "status");
  const beside = make("div", { className: "bg-beside" });
  const written = (value) => typeof value === "string" ? value
    : [value].flat().map((number) => withUnit(number, unit)).join(", ");
  // A guess of another kind than the result, as after the question was changed, is not drawn.
  const comparable = () => typeof you === typeof truth && Array.isArray(you) === curve
    && (!curve || you.length === truth.length);
  const label = (text, name, left, top) => {
    const node = make("span", { className: `bg-label bg-label-${name}`, textContent: text });
    node.style.cssText = `left:${left}%;top:${top}%`;
    return node;
  };

  function onLine() {
    const [low, high] = scale;
    const mark = (value, name, text) => {
      const node = make("i", { className: `bg-mark ${name}` }, make("span", { textContent: text }));
      node.style.left = `${within(100 * (value - low) / (high - low))}%`;
      return node;
    };
    return make("div", { className: "bg-marks" }, mark(truth, "bg-measured", "measured"),
      ...(comparable() ? [mark(you, "bg-you", "you")] : []));
  }

  function onAxes() {
    const axes = axesOf(model.get("axes"));
    axes.plot.append(...lineThrough("measured", axes.points(truth)));
    if (comparable()) axes.plot.append(...lineThrough("you", axes.points(you)));
    const named = (name, text) => make("span", { className: `bg-name bg-name-${name}` }, make("i", {}), text);
    return make("div", {}, axes.node, make("div", { className: "bg-legend" }, named("measured", "measured"),
      ...(comparable() ? [named("you", "you")] : [])));
  }

  // The picture says where its axes lie, and what they span.
  function onPicture() {
    if (!picture.box) return make("div", { className: "bg-over", innerHTML: picture.html });
    const [left, top, right, bottom] = picture.box.map((share) => 100 * share);
    const across = (x) => left + (right - left) * within(100 * (x - picture.x[0]) / (picture.x[1] - picture.x[0])) / 100;
    const up = (y) => bottom - (bottom - top) * within(100 * (y - picture.y[0]) / (picture.y[1] - picture.y[0])) / 100;
    const over = make("div", { className: "bg-over", innerHTML: picture.html });
    const seen = over.querySelector("svg") ?? over.querySelector("img");
    const hug = make("div", { className: "bg-hug" });
    seen.replaceWith(hug);
    hug.append(seen);
    if (!comparable() || typeof truth === "string") return over;
    const laid = make("div", { className: "bg-laid" });
    const places = at.length ? at : [];
    const points = curve ? you.map((y, i) => [across(places[i]), up(y)])
      : places.length ? [[across(places[0]), up(you)]] : [[left, up(you)], [right, up(you)]];
    const marks = lineThrough("you", points);
    laid.append(...(curve || places.length ? marks : marks.slice(0, 1)));
    const [x, y] = points.at(-1);
    laid.append(label("you", "you", Math.min(x, 94), y));
    hug.append(laid);
    return over;
  }

  const show = () => {
    sentence.textContent = `${you === null ? "No guess." : `You: ${written(you)}.`} ${model.get("truth")}`;
    const drawn = picture.html ? onPicture() : curve ? onAxes() : scale.length && typeof truth === "number" ? onLine() : "";
    if (drawn && !picture.html) drawn.setAttribute("aria-hidden", "true"); // the sentence says it all
    beside.replaceChildren(drawn);
  };
  const fromKernel = () => { you = model.get("you"); show(); };
  const fromPage = ({ detail }) => {
    if (detail.item !== item) return;
    you = detail.value;
    show();
  };
  show();
  model.on("change:you", fromKernel);
  document.addEventListener("birnn-guess", fromPage);
  const root = make("div", { className: "birnn-panel bg", tabIndex: -1 }, sentence, beside);
  root.dataset.birnnResult = item;
  el.append(root);
  return () => {
    model.off("change:you", fromKernel);
    document.removeEventListener("birnn-guess", fromPage);
  };
}
