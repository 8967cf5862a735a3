// The front page: a word is uncovered letter by letter, and a small network says what it hears in
// the first. A covered letter is a blank to it: zeros. Nothing moves unless the person moves it.

const both = tagger(library.nets["both ways"]);
const one = tagger(library.nets["left to right"]);
const percent = (probability) => `${Math.round(100 * probability)} %`;

// The likeliest sound of each letter, and how sure the network is of it.
function answersOf(net, ids) {
  return reading(net, ids).probabilities.map((numbers) => {
    const best = bestOf(numbers);
    return { tag: library.tags[best], sure: numbers[best] };
  });
}

function uncovering(root) {
  const word = root.dataset.word;
  const ids = lettersOf(word);
  const find = (selector) => root.querySelector(selector);
  const tiles = [...root.querySelectorAll(".bf-tile")];
  const said = find(".bf-said");
  const choices = find(".bf-choices");
  const guesses = [...choices.children];
  const go = make("button", { type: "button", className: "bf-choice bf-go" });
  const [alone] = answersOf(one, ids);
  let guess = "";
  let open = 0; // letters to be seen; 0 before the guess

  function show() {
    const started = open > 0;
    root.classList.toggle("bf-open", !started);
    tiles.forEach((tile, t) => {
      const seen = t < Math.max(open, 1);
      const next = started && t === open;
      tile.replaceChildren(seen ? word[t] : make("span", { textContent: "?" }));
      tile.className = `bf-tile${seen ? "" : " bf-covered"}${next ? " bf-next" : ""}${t ? "" : " bf-asked"}`;
      tile.disabled = !next;
      tile.setAttribute("aria-label", seen ? word[t] : next ? "Uncover the next letter" : "covered");
    });
    if (!started) {
      choices.replaceChildren(...guesses);
      find(".bf-heard").replaceChildren(make("strong", { textContent: "?" }));
      for (const cell of root.querySelectorAll(".bf-band span")) cell.replaceChildren();
      root.classList.remove("bf-turned");
      said.textContent = root.dataset.start;
      return;
    }
    const covered = ids.map((id, t) => (t < open ? id : -1));
    const { forward, backward } = reading(both, covered).layers[0];
    const [{ tag, sure }] = answersOf(both, covered);
    const last = open === word.length;
    find(".bf-heard").replaceChildren(
      make("strong", { textContent: spoken(tag) }), make("small", { textContent: `${percent(sure)} sure` }));
    root.classList.toggle("bf-turned", tag !== alone.tag);
    // only its first state is in the answer
    root.querySelectorAll(".bf-band.from-left span").forEach((cell, t) => {
      cell.innerHTML = squares(forward[t], "forward");
      cell.classList.toggle("bf-away", t > 0);
    });
    root.querySelectorAll(".bf-band.from-right span").forEach((cell, t) => { cell.innerHTML = squares(backward[t], "backward"); });
    go.textContent = last ? "Start again" : "Uncover the next letter";
    choices.replaceChildren(go);
    said.replaceChildren(...sentence(tag, sure, last));
  }

  const bold = (text) => make("b", { textContent: text });
  const sound = (tag) => bold(spoken(tag).toUpperCase());

  function sentence(tag, sure, last) {
    if (open === 1) {
      const yours = guess ? ["You say ", bold(guess.toUpperCase()), ". "] : [];
      const network = guess === spoken(tag) ? ["A small network agrees: from the ", bold(word[0]), " alone it says ", sound(tag)]
        : ["From the ", bold(word[0]), " alone a small network says ", sound(tag)];
      return [...yours, ...network, ", ", percent(sure), " sure. What comes next?"];
    }
    if (last) {
      return [bold(word), ": ", sound(tag), ", ", percent(sure), " sure. ",
        make("span", { className: "bf-blue", textContent: "A reader from the left" }), ` alone must answer before it sees the ${word[1]}, and stays with `,
        sound(alone.tag), ". ", make("span", { className: "bf-orange", textContent: "A second reader, from the right," }),
        " has seen it. Two readers, one answer: that is a bidirectional RNN."];
    }
    if (open === 2) {
      return tag === alone.tag
        ? ["With the ", bold(word[1]), " it still says ", sound(tag), ", ", percent(sure), " sure."]
        : ["With the ", bold(word[1]), " uncovered it says ", sound(tag), ". What decides stood to the right of the ", bold(word[0]),
          ", and the ", make("span", { className: "bf-orange", textContent: "reader from the right" }), " brought it."];
    }
    return ["With ", bold(word.slice(0, open)), " it says ", sound(tag), ", ", percent(sure), " sure."];
  }

  function uncover() {
    open = open === word.length ? 0 : open + 1;
    show();
    (open ? go : guesses[0]).focus();
  }

  for (const button of guesses) {
    button.addEventListener("click", () => {
      guess = button.dataset.guess;
      uncover();
    });
  }
  go.addEventListener("click", uncover);
  for (const tile of tiles) tile.addEventListener("click", uncover);
  show();
}

function ownWord(root) {
  const field = root.querySelector("input");
  const status = root.querySelector("[role=status]");
  const place = root.querySelector(".bf-table");
  let shown = "";

  function cell(answer, right, differs) {
    const node = make("td", { className: differs ? "bf-differs" : "" }, spoken(answer.tag));
    if (right) {
      const fine = answer.tag === right;
      const mark = make("small", { className: fine ? "yes" : "no", textContent: fine ? "✓" : "✗" });
      mark.append(make("span", { className: "bf-hidden", textContent: fine ? " right" : " wrong" }));
      node.append(mark);
    }
    return node;
  }

  function show() {
    const word = field.value.trim().toLowerCase();
    const problem = wordProblem(word);
    field.setAttribute("aria-invalid", String(Boolean(problem)));
    place.classList.toggle("bf-stale", Boolean(problem));
    if (problem) {
      status.textContent = problem + (shown ? ` Until then you see ${shown}.` : "");
      return;
    }
    shown = word;
    const ids = lettersOf(word);
    const rows = [[both, "from both ends", ""], [one, "from the left only", "bf-blue"]].map(([net, name, look]) => ({ name, look, answers: answersOf(net, ids) }));
    const differs = ids.map((_, t) => rows[0].answers[t].tag !== rows[1].answers[t].tag);
    const rights = library.answers[word]?.split(" ") ?? [];
    const head = (scope, text, look = "") => {
      const node = make("th", {}, make("span", { className: look, textContent: text }));
      node.scope = scope;
      return node;
    };
    const letters = make("tr", {}, make("td"), ...[...word].map((letter) => head("col", letter)));
    const lines = rows.map(({ name, look, answers }) => make("tr", {}, head("row", name, look),
      ...answers.map((answer, t) => cell(answer, rights[t], differs[t]))));
    place.replaceChildren(make("table", {}, make("thead", {}, letters), make("tbody", {}, ...lines)));
    status.textContent = sentence(word, differs, rights.length > 0);
  }

  function sentence(word, differs, listed) {
    const letters = [...word].filter((_, t) => differs[t]);
    const named = letters.join(", ").replace(/, (?=[^,]*$)/, " and ");
    // Two networks can differ by chance too; on the last letter it can be nothing else.
    const why = differs.slice(0, -1).some(Boolean) ? " Only the first has read the letters to the right."
      : " Nothing stands to its right: two networks can differ by chance.";
    const found = letters.length ? `They differ on ${named}.${why}` : "Both say the same of this word.";
    return listed ? found : `${found} Is it right? This page has no entry for ${word}, so your ear must say.`;
  }

  field.addEventListener("input", show);
  show();
}

for (const node of document.querySelectorAll(".bf-first")) uncovering(node);
for (const node of document.querySelectorAll(".bf-own")) ownWord(node);
