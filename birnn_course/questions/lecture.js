// One question at a time for a class. Neither key nor feedback is here before they are revealed.
function render({ model, el }) {
  const questions = model.get("questions");
  const votes = model.get("votes");
  let at = 0;
  let revealed = false; // as drawn

  const heading = make("div", { className: "birnn-heading", tabIndex: -1 });
  const question = make("div");
  const table = make("table");
  const status = make("div");
  status.setAttribute("role", "status");
  const more = make("div");
  const button = (textContent, onClick) => {
    const made = make("button", { type: "button", textContent });
    made.addEventListener("click", onClick);
    return made;
  };

  const state = () => model.get("states")[questions[at].id];
  const noHands = () => questions[at].options.map(() => null);

  // One field for the hands raised for an option, with its sentence if what is typed is no count.
  function field(letter, vote, hands) {
    const input = make("input", { type: "number", min: 0, max: model.get("most_hands"), step: 1 });
    if (hands !== null) input.value = hands;
    const problem = make("div", { id: unique() });
    problem.setAttribute("aria-live", "polite");
    input.setAttribute("aria-label", `Hands for ${letter}, ${vote.toLowerCase()}`);
    input.setAttribute("aria-describedby", problem.id);
    input.addEventListener("input", () => {
      const good = input.validity.valid;
      input.setAttribute("aria-invalid", !good);
      problem.textContent = good ? "" : model.get("refusal");
      if (good) send(false);
    });
    return make("td", {}, input, problem);
  }

  // The hands in all fields, by vote; null while one of the fields is refused.
  function counted() {
    const inputs = [...table.querySelectorAll("input")];
    if (inputs.some((input) => !input.validity.valid)) return null;
    const nVotes = inputs.length / questions[at].options.length;
    const hands = inputs.map((input) => (input.value === "" ? null : input.valueAsNumber));
    return votes.slice(0, nVotes).map((_, vote) => hands.filter((_, i) => i % nVotes === vote));
  }

  const answer = patiently((text) => { status.textContent = text; });
  const ask = (rounds, reveal) => {
    answer.wait(); // first: what is sent to a kernel that has forgotten raises an error
    model.send({ id: questions[at].id, rounds, reveal });
  };
  function send(reveal) {
    const rounds = counted();
    if (rounds) ask(rounds, reveal);
    else if (reveal) table.querySelector("input:invalid").focus();
  }

  function draw(rounds) {
    const { html, options } = questions[at];
    const answer = state() ? state().answer : null;
    revealed = Boolean(answer);
    heading.textContent = `Question ${at + 1} of ${questions.length}`;
    question.innerHTML = html;
    const cells = ["", "Answer", ...(answer ? answer.heads : votes.slice(0, rounds.length))];
    const head = make("tr", {}, ...cells.map((text) => make(text ? "th" : "td", { textContent: text })));
    const rows = options.map(({ letter, html }, i) => {
      const option = answer && answer.options[i];
      const text = make("td", { innerHTML: html });
      if (option) text.append(make("div", { innerHTML: option.html }));
      return make("tr", { className: option && option.right ? "birnn-right" : "" },
        make("th", { textContent: letter, scope: "row" }), text,
        ...rounds.map((hands, vote) => (option
          ? make("td", { innerHTML: option.votes[vote] })
          : field(letter, votes[vote], hands[i]))));
    });
    table.replaceChildren(make("thead", {}, head), make("tbody", {}, ...rows));
    more.innerHTML = answer ? answer.more : "";
    status.textContent = state() ? state().status : "";
    reveal.hidden = revealed;
    second.hidden = revealed || rounds.length === votes.length;
    again.hidden = !revealed;
    back.disabled = at === 0;
    next.disabled = at === questions.length - 1;
  }

  const show = () => draw(state() ? state().rounds : [noHands()]);
  const reveal = button("Reveal", () => send(true));
  const second = button(votes[1], () => {
    const rounds = counted();
    if (!rounds) { table.querySelector("input:invalid").focus(); return; }
    draw([...rounds, noHands()]);
    send(false);
    table.querySelector("td:last-child input").focus();
  });
  // From the start: the answer is hidden and the hands are forgotten, as they have seen it.
  const again = button("Ask again", () => {
    ask([noHands()], false);
  });
  const go = (step) => { at += step; show(); heading.focus(); };
  const back = button("Previous question", () => go(-1));
  const next = button("Next question", () => go(1));
  const whole = button("Full screen", () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen();
  });
  whole.hidden = !document.fullscreenEnabled;
  const root = frame("birnn-lecture", heading, question,
    make("p", { textContent: "Think alone. Vote. Talk to your neighbour. Vote again." }),
    table, make("div", {}, second, reveal, again, back, next, whole), status, more);

  // Counting changes nothing that is drawn, so the focus stays in its field.
  const follow = () => {
    answer.stop();
    status.textContent = state() ? state().status : "";
    if (Boolean(state() && state().answer) === revealed) return;
    const hadFocus = root.contains(document.activeElement);
    show();
    if (hadFocus) (revealed ? heading : table.querySelector("input")).focus();
  };
  model.on("change:states", follow);
  show();
  el.append(root);
  return () => {
    answer.stop();
    model.off("change:states", follow);
  };
}
export default { render };
