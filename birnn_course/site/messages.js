// A message that is pasted finds what is said of it, also with other numbers: what recognises it in
// a notebook does so here. Nothing leaves the page.
(() => {
  const root = document.querySelector(".bm-find");
  if (!root) return;
  const field = root.querySelector("textarea");
  const status = root.querySelector("[role=status]");
  const entries = [...document.querySelectorAll(".bm-entry")].map((node) => ({
    node, heading: node.querySelector(".bm-raised").textContent, known: new RegExp(node.dataset.known),
  }));
  const groups = new Set(entries.map(({ node }) => node.closest("section")).filter((group) => group && !group.contains(root)));
  const words = (text) => text.toLowerCase().replace(/\s+/g, " ").trim();

  function find() {
    const text = field.value.trim();
    const exact = entries.filter(({ known }) => text && known.test(text));
    const found = exact.length || !text ? exact : entries.filter(({ node }) => words(node.textContent).includes(words(text)));
    for (const { node } of entries) node.hidden = Boolean(text) && !found.some((entry) => entry.node === node);
    for (const group of groups) group.hidden = [...group.querySelectorAll(".bm-entry")].every((node) => node.hidden);
    status.textContent = !text ? `${entries.length} kinds of messages.`
      : found.length === 1 ? `One kind of message: ${found[0].heading}`
      : found.length ? `${found.length} kinds of messages.`
      : "No message like this is explained here. Paste the last line of the traceback alone, or one word of it.";
  }

  root.hidden = false;
  field.addEventListener("input", find);
  find();
})();
