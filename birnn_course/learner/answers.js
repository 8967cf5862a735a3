// What this browser keeps of its reader, to be taken along or forgotten.
function render({ model, el }) {
  const keeping = model.get("keeping");
  const titles = model.get("titles");
  const count = (n, one, many) => (n ? [`${n} ${n === 1 ? one : many}`] : []);
  const heading = make("div", { className: "birnn-heading", textContent: "Your answers", tabIndex: -1 });
  const list = make("ul");
  const status = make("p", { className: "birnn-sentence" });
  status.setAttribute("role", "status");

  const take = make("button", { type: "submit", textContent: "Take my answers along" });
  const forget = make("button", { type: "button", textContent: "Forget my answers" });
  const really = make("button", { type: "button", textContent: "Yes, forget them" });
  const stay = make("button", { type: "button", textContent: "No, keep them" });
  const sure = make("div", { hidden: true }, make("p", { textContent: "Forgotten answers do not come back." }), really, stay);

  const all = () => ({ answers: keeping.all("answer"), guesses: keeping.all("guess") });
  function show() {
    const { answers, guesses } = all();
    const answered = new Set(answers.map(({ item }) => item));
    const of = (unit) => [
      ...count([...answered].filter((item) => item.startsWith(`${unit}-`)).length, "question answered", "questions answered"),
      ...count(guesses.filter(({ item }) => item.startsWith(`${unit}-`)).length, "guess", "guesses"),
    ].join(", ");
    const lines = Object.entries(titles).filter(([unit]) => of(unit))
      .map(([unit, title]) => make("li", { textContent: `Unit ${unit}, ${title}: ${of(unit)}` }));
    const where = location.protocol === "file:"
      ? "Nothing yet. Of pages that are opened from a disk, some browsers keep each one’s answers for itself."
      : "Nothing yet. What you answer or guess on the pages of the course is kept here, in this browser.";
    const nothing = keeping.refused
      ? "This browser keeps nothing for these pages. Another window may: private ones do not." : where;
    list.replaceChildren(...(lines.length ? lines : [make("li", { textContent: nothing })]));
    take.disabled = forget.disabled = !lines.length;
    sure.hidden = true;
  }

  take.addEventListener("click", () => {
    const text = JSON.stringify({ format: "birnn-answers", version: model.get("version"), ...all() }, null, 1);
    const link = make("a", { href: URL.createObjectURL(new Blob([text], { type: "application/json" })), download: "birnn-answers.json" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    status.replaceChildren("In the course, read them into your record: ",
      make("code", { textContent: "birnn progress --import birnn-answers.json" }));
  });
  forget.addEventListener("click", () => { sure.hidden = false; status.textContent = ""; really.focus(); });
  stay.addEventListener("click", () => { sure.hidden = true; forget.focus(); });
  really.addEventListener("click", () => {
    keeping.forget();
    show();
    status.textContent = "Forgotten.";
    heading.focus();
  });
  el.append(frame("birnn-answers", heading, list, make("div", {}, take, forget), sure, status));
  show();
}
