// What every page has: the theme, the menu, answers that wait for a guess, boxes that scroll.
{
  const root = document.documentElement;
  const button = document.querySelector(".theme");
  const show = () => button.setAttribute("aria-pressed", String(root.dataset.theme === "dark"));
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    show();
    try { localStorage.setItem("birnn-theme", root.dataset.theme); } catch { /* until the page is left */ }
  });

  const menu = document.querySelector(".menu");
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", ({ target }) => { if (!menu.contains(target)) menu.open = false; });

  // Beside the text there is room for it.
  const here = document.querySelector(".here details");
  if (here && matchMedia("(min-width: 78rem)").matches) here.open = true;

  // An answer opens with its guess, or when it is asked for.
  const answers = [...document.querySelectorAll("details.birnn-answer")];
  const open = (guess) => {
    for (const answer of answers) if (answer.dataset.guess === guess) answer.open = true;
  };
  document.addEventListener("birnn-guess", ({ detail }) => open(detail.item));
  for (const answer of answers) {
    answer.querySelector("summary").addEventListener("click", (event) => {
      event.preventDefault(); // it would close again
      open(answer.dataset.guess); // one answer may be in several pieces
      answer.tabIndex = -1; // its button is gone
      answer.focus({ preventScroll: true });
    });
  }
  addEventListener("beforeprint", () => { for (const answer of answers) answer.open = true; });

  // Who uses no mouse can scroll what is wider than the page.
  const reachable = () => {
    for (const box of document.querySelectorAll("main pre, .birnn-wide, .birnn-out"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
  };
  addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, true);
  addEventListener("load", reachable);
}
