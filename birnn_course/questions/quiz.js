// Shows one question at a time, and at the end what to repeat. The key is not here: an answer goes to
// Python, feedback comes back.
const MARKS = { right: ["✓", "right"], wrong: ["✗", "not yet"], noted: ["•", "noted"] };

function render({ model, el }) {
  const id = unique();
  const questions = model.get("questions");
  const diagnostic = model.get("diagnostic");
  let at = 0;

  const heading = make("div", { className: "birnn-heading", tabIndex: -1 });
  const question = make("div");
  // One node for all feedback, there from the start: screen readers announce what is put into it.
  const feedback = make("div", { className: "birnn-feedback" });
  feedback.setAttribute("role", "status");
  // The clock of a test, which is not announced.
  const clock = make("div");
  clock.setAttribute("role", "timer");
  const back = make("button", { type: "button", textContent: "Previous question" });
  const next = make("button", { type: "button", textContent: "Next question" });
  // A dot for each question: a click goes there; by keyboard they are one stop, with arrows inside.
  const dots = make("div", { className: "birnn-dots" }, ...questions.map((_, i) => {
    const dot = make("button", { type: "button" });
    dot.addEventListener("click", () => go(i - at, false));
    return dot;
  }));
  dots.setAttribute("role", "group");
  dots.setAttribute("aria-label", "Questions");
  dots.addEventListener("keydown", ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step && questions[at + step]) { go(step, false); dots.children[at].focus(); }
  });
  const root = frame("birnn-quiz", heading, clock, question, feedback, make("div", {}, back, next));
  root.prepend(make("div", { className: "birnn-head" }, heading, dots));

  const stateOf = ({ id }) => model.get("states")[id];
  const state = () => stateOf(questions[at]);
  const markOf = (q) => (stateOf(q) && stateOf(q).mark) || "";
  const showDots = () => questions.forEach((q, i) => {
    const [sign, words] = MARKS[markOf(q)] || ["", "no answer yet"];
    const dot = dots.children[i];
    Object.assign(dot, { textContent: sign, className: `birnn-dot ${markOf(q)}`, tabIndex: i === Math.min(at, questions.length - 1) ? 0 : -1 });
    dot.title = `Question ${i + 1}: ${words}`;
    dot.setAttribute("aria-label", dot.title);
    if (i === at) dot.setAttribute("aria-current", "step");
    else dot.removeAttribute("aria-current");
  });

  const options = ({ options, kind }) => [...options, ...(diagnostic ? [dontKnow] : [])].map(({ position, html }) => {
    const response = state() ? state().response : [];
    const input = make("input", {
      type: kind === "several" ? "checkbox" : "radio", name: `${id}-${at}`, value: position,
      checked: response.includes(position),
    });
    return make("label", { className: "birnn-option" }, input, make("span", { innerHTML: html }));
  });

  const field = ({ kind, prompt }) => {
    const input = kind === "output" ? make("textarea", { rows: 4 }) : make("input", { type: "text" });
    Object.assign(input, { value: state() ? state().response : "", spellcheck: false, autocomplete: "off" });
    return [make("label", {}, make("div", { textContent: prompt }), input)];
  };

  // In a diagnostic: a way not to guess, and how sure one is.
  const dontKnow = { position: -1, html: "I don't know yet" };
  const sureness = () => make("fieldset", { className: "birnn-sure" },
    make("legend", { textContent: "How sure are you?" }),
    ...[["sure", true], ["not sure", false]].map(([text, value]) => make("label", {}, make("input", {
      type: "radio", name: `${id}-${at}-sure`, value,
      checked: Boolean(state()) && state().sure === value,
    }), text)));

  // After the last question: how it went, and a button to each question that is worth another look.
  function showEnd() {
    const numbered = questions.map((q, i) => ({ number: i + 1, mark: markOf(q), ...q }));
    const those = (...marks) => numbered.filter(({ mark }) => marks.includes(mark));
    const [right, wrong, noted, unanswered] = ["right", "wrong", "noted", ""].map((mark) => those(mark));
    const open = unanswered.filter(({ elsewhere }) => !elsewhere);
    const here = questions.filter(({ elsewhere }) => !elsewhere).length;
    const away = questions.length - here;
    const ideas = wrong.length === 1 ? "One idea" : `${wrong.length} ideas`;
    heading.textContent = diagnostic
      ? `${noted.length} of ${questions.length} noted`
      : `${right.length} of ${here} right`;
    const leadTo = (text, number) => {
      const button = make("button", { type: "button", textContent: `${text} ${number}` });
      button.addEventListener("click", () => go(number - 1 - at));
      return button;
    };
    const done = diagnostic ? "That was all: go on in the notebook." : "Nothing to repeat. Well done!";
    question.replaceChildren(make("div", { className: "birnn-end" },
      ...(wrong.length ? [make("p", { textContent: `${ideas} to repeat: ` }),
        make("ul", {}, ...wrong.map(({ number, place }) => make("li", {}, leadTo("Question", number), place)))] : []),
      ...(open.length ? [make("p", {}, `${open.length} without an answer: `, leadTo("Go on at question", open[0].number))] : []),
      ...(wrong.length || open.length ? [] : [make("p", { textContent: done })]),
      ...(away ? [make("p", { textContent: away === 1 ? "One question needs your own code: it waits in the course."
        : `${away} questions need your own code: they wait in the course.` })] : [])));
    feedback.className = "birnn-feedback";
    feedback.textContent = model.get("score");
  }

  function show() {
    back.disabled = at === 0;
    next.hidden = at === questions.length;
    next.textContent = at >= questions.length - 1 ? "How it went" : "Next question";
    showDots();
    root.classList.toggle("birnn-at-end", at === questions.length);
    if (at === questions.length) showEnd();
    else showQuestion();
  }

  function showQuestion() {
    const q = questions[at];
    heading.textContent = `Question ${at + 1} of ${questions.length}`;
    if (q.elsewhere) { // it cannot be answered here
      question.replaceChildren(make("div", { innerHTML: q.html }), make("p", { textContent: q.elsewhere }));
      showFeedback();
      return;
    }
    const ticking = Boolean(q.options);
    const form = make("form", {},
      make("fieldset", {}, make("legend", { innerHTML: q.html }), ...(ticking ? options(q) : field(q))),
      ...(diagnostic ? [sureness()] : []),
      make("button", { type: "submit", textContent: diagnostic ? "Note answer" : "Check answer" }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const response = ticking
        ? [...form.querySelectorAll(".birnn-option input:checked")].map((input) => Number(input.value))
        : form.querySelector("input, textarea").value;
      feedback.textContent = "Checking …";
      answer.wait();
      const sure = form.querySelector(".birnn-sure input:checked");
      model.send({ id: q.id, response, sure: sure ? sure.value === "true" : null });
    });
    question.replaceChildren(form);
    showFeedback();
  }

  // Answering changes the feedback and nothing else, so the focus stays where it is.
  const answer = patiently((text) => { feedback.textContent = text; });
  const showFeedback = () => {
    answer.stop();
    showDots();
    if (at === questions.length) { showEnd(); return; }
    feedback.className = `birnn-feedback ${markOf(questions[at])}`;
    root.dataset.mark = markOf(questions[at]);
    feedback.innerHTML = state() ? state().html : "";
    const score = model.get("score");
    if (score) feedback.append(make("p", {}, make("strong", { textContent: score })));
  };
  const go = (step, toHeading = true) => {
    at += step;
    show();
    if (toHeading) heading.focus();
  };
  back.addEventListener("click", () => go(-1));
  next.addEventListener("click", () => go(1));
  // Python keeps the time: it is asked at the start, and again when this clock has run down.
  let ticking = 0;
  function startClock() {
    clearInterval(ticking);
    clock.textContent = "";
    if (model.get("seconds_left") === null) return;
    const end = performance.now() + 1000 * model.get("seconds_left");
    const tick = () => {
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      clock.textContent = `Time left: ${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      if (left) return;
      clearInterval(ticking);
      if (!model.get("seconds_left")) return;
      answer.wait();
      model.send({ clock: true });
    };
    ticking = setInterval(tick, 500);
    tick();
  }
  const handlers = {
    "change:states": showFeedback, "change:score": showFeedback, "change:seconds_left": startClock,
  };
  for (const [event, handler] of Object.entries(handlers)) model.on(event, handler);
  show();
  if (model.get("seconds_left") !== null) model.send({ clock: true });
  el.append(root);
  return () => {
    clearInterval(ticking);
    answer.stop();
    for (const [event, handler] of Object.entries(handlers)) model.off(event, handler);
  };
}
