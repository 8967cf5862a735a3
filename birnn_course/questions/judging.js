// What judging.py says of an answer, for a page without a kernel; a test holds the two to each other.
// A question's `key` and the `sentences` come from page.py.

// Python and JavaScript differ in what is a space and a digit; here it is what Python takes for one.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const [AT_START, AT_END, BETWEEN_AXES] = [`^[${SPACE}]+`, `[${SPACE}]+$`, `[${SPACE},×x]+`]
  .map((pattern) => new RegExp(pattern));
const trimmedEnd = (text) => text.replace(AT_END, "");
const trimmed = (text) => trimmedEnd(text).replace(AT_START, "");
const inDigits = (text) => text.replace(/\p{Nd}/gu, (digit) => {
  let behind = 0; // digits stand in runs from 0 to 9
  while (/\p{Nd}/u.test(String.fromCodePoint(digit.codePointAt(0) - behind - 1))) behind += 1;
  return behind % 10;
});

function readShape(text) {
  const typed = trimmed(inDigits(text)).replace(/^torch\.Size\(([^\n]*)\)$/, "$1");
  const inner = trimmed(typed).replace(/^[()[\]]+|[()[\]]+$/g, "");
  const parts = inner.split(BETWEEN_AXES).filter(Boolean);
  return parts.length && parts.every((part) => /^[0-9]{1,15}$/.test(part)) ? parts.map(Number) : null;
}

const DIGITS = "[0-9](?:_?[0-9])*";
const DECIMAL = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, "i");

function readDecimal(text) {
  const typed = trimmed(text);
  if (DECIMAL.test(typed)) return Number(typed.replace(/_/g, ""));
  const special = typed.match(/^([+-]?)(?:(inf(?:inity)?)|nan)$/i);
  if (!special) return null;
  return special[2] ? Number(`${special[1]}Infinity`) : NaN;
}

function readNumber(text) {
  const typed = trimmed(inDigits(text)).replace(/−/g, "-");
  const bare = typed.replace(/[% ]+$/, "");
  const slash = bare.indexOf("/");
  const top = readDecimal(slash < 0 ? bare : bare.slice(0, slash));
  const bottom = slash < 0 ? 1 : readDecimal(bare.slice(slash + 1));
  if (top === null || !bottom && !Number.isNaN(bottom)) return null; // none, or divided by zero
  return top / bottom / (typed.endsWith("%") ? 100 : 1);
}

const readLines = (text) => trimmed(text).split(/\r\n|[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]/).map(trimmedEnd);

const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function judgeTicked(key, positions) {
  const ticked = [...new Set(positions)].map((i) => key.answers[i]);
  if (!ticked.length) return { unreadable: "none" };
  const right = key.answers.filter((answer) => answer.right).length;
  const hits = ticked.filter((answer) => answer.right).length;
  const points = hits / right - (ticked.length - hits) / (key.answers.length - right);
  const missing = key.kind === "several" && hits < right && hits === ticked.length;
  return { points: Math.max(0, points), html: ticked.map((answer) => answer.html), missing };
}

const WITH_COMMA = new RegExp(`^[-−+]?[0-9]*,[0-9]+[${SPACE}]*%?$`);
const READ = { shape: readShape, number: readNumber, output: readLines };

function judgeTyped(key, text) {
  const typed = READ[key.kind](text);
  if (typed === null) {
    const comma = key.kind === "number" && WITH_COMMA.test(trimmed(inDigits(text)));
    return comma ? { unreadable: "decimals", text: trimmed(text).replaceAll(",", ".") } : { unreadable: key.kind };
  }
  const far = ({ value }) => Math.abs(value - typed);
  const matches = key.kind === "number"
    // the right one first, so that a foreseen wrong one nearby never hides it
    ? key.answers.filter((answer) => far(answer) <= key.tolerance + 1e-12)
      .sort((a, b) => b.right - a.right || far(a) - far(b))
    : key.answers.filter(({ value }) => JSON.stringify(value) === JSON.stringify(typed));
  return matches.length ? { points: Number(matches[0].right), html: [matches[0].html] }
    : { points: 0, html: [key.otherwise] };
}

// What the quiz shows of an answer: the same state as Python's.
function judged(key, response, sentences) {
  const of = typeof response === "string" ? judgeTyped(key, response) : judgeTicked(key, response);
  if (of.unreadable) {
    return { response, html: `<p>${escaped(sentences[of.unreadable].replace("{}", () => of.text))}</p>` };
  }
  const right = of.points === 1;
  const partly = of.points > 0 && !right;
  const verdict = sentences[right ? "right" : partly ? "partly" : "wrong"]
    .replace("{}", Math.floor(100 * of.points + 0.5));
  const missing = of.missing ? `<p>${sentences.missing}</p>` : "";
  return {
    response, mark: right ? "right" : "wrong", points: of.points,
    html: [`<p><strong>${verdict}</strong></p>`, ...of.html, missing, right ? "" : key.again, key.more].join(""),
  };
}
