// How a sound is written: in letters that everybody reads, or in the dictionary's own ARPAbet.
const RESPELLED = {
  AA: "ah", AE: "a", AH: "uh", AO: "aw", AW: "ow", AY: "eye", B: "b", CH: "ch", D: "d", DH: "dh",
  EH: "e", ER: "er", EY: "ay", F: "f", G: "g", HH: "h", IH: "i", IY: "ee", JH: "j", K: "k", L: "l",
  M: "m", N: "n", NG: "ng", OW: "oh", OY: "oy", P: "p", R: "r", S: "s", SH: "sh", T: "t", TH: "th",
  UH: "uu", UW: "oo", V: "v", W: "w", Y: "y", Z: "z", ZH: "zh",
};
const soundsOf = (tag, arpabet) => tag.split("+").map((sound) => (arpabet ? sound : RESPELLED[sound] ?? sound));
const spoken = (tag, arpabet) => (tag === "_" ? "–" : soundsOf(tag, arpabet).join(arpabet ? " " : ""));
const aloud = (tag, arpabet) => (tag === "_" ? "silent" : soundsOf(tag, arpabet).join(" "));

// What is wrong with a word, in one sentence that says what to do; nothing if it can be read.
function wordProblem(word) {
  if (!word) return "Type a word of 1 to 10 letters.";
  if (/\s/.test(word)) return "Type one word, without a space.";
  const foreign = [...word].find((letter) => !/[a-z]/.test(letter));
  if (!foreign) return word.length > 10 ? "Type at most 10 letters: there is no room for more." : "";
  const plain = word.normalize("NFD").replace(/\p{M}/gu, "");
  if (/^[a-z]{1,10}$/.test(plain)) {
    return `This network has learned English words, and they have no ${foreign}. Try ${plain}.`;
  }
  if (/\p{L}/u.test(foreign)) {
    return `This network has seen English words only, so ${foreign} is new to it. Write your word in the letters a to z, as it sounds.`;
  }
  return "Type letters from a to z and nothing else.";
}
