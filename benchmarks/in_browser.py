"""The same waits as a person at JupyterLab has them, in Chromium; drawing included.

The page measures itself: from the event of the mouse or the key, or from the start of a cell, to
the first frame in which the answer stands there. So what it costs to steer the browser from outside
does not count.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from birnn_course.questions.bank import Question

if TYPE_CHECKING:
    from browser.lab import Lab

RUN = """async ([source, selector]) => {
    const content = window.jupyterapp.shell.currentWidget.content;
    content.model.sharedModel.insertCell(0, {cell_type: 'code', source});
    content.activeCellIndex = 0;
    const start = performance.now();
    window.jupyterapp.commands.execute('notebook:run-cell');
    const cell = content.widgets[0].node;
    const shown = () => cell.querySelector(selector);
    while (!shown() || !shown().getClientRects().length) {
        if (performance.now() - start > 60000) throw new Error('nothing is shown');
        await new Promise(requestAnimationFrame);
    }
    return (performance.now() - start) / 1000;
}"""
"""Seconds from the start of a new first cell until something in its output can be seen."""

WATCH = """([event, selector]) => {
    const status = document.querySelector(selector);
    const before = status.textContent;
    let start;
    document.addEventListener(event, (e) => { start = e.timeStamp; }, {capture: true, once: true});
    window.watched = new Promise((done, fail) => {
        const look = () => {
            const now = status.textContent;
            const empty = !now || now === 'Checking …';
            const answered = start !== undefined && now !== before && !empty;
            if (answered) done((performance.now() - start) / 1000);
            else if (performance.now() - begun > 60000) fail(new Error('no answer'));
            else requestAnimationFrame(look);
        };
        const begun = performance.now();
        look();
    });
}"""
"""Begin to wait for the next event of a kind, and then for a status that says something else."""

EXPLORE = """async selector => {
    const panel = document.querySelector(selector);
    const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done)));
    const took = [];
    const move = async (act) => {
        const start = performance.now();
        act();
        await frame();
        took.push((performance.now() - start) / 1000);
        await new Promise(done => setTimeout(done, 300)); // what is computed afterwards may begin
    };
    const field = panel.querySelector('.bx-word');
    const type = word => () => {
        field.value = word;
        field.dispatchEvent(new Event('input'));
    };
    const options = panel.querySelectorAll('input[type=radio]');
    for (const option of options) await move(() => option.click());
    for (const word of ['a', 'city', 'background']) await move(type(word));
    for (const answer of panel.querySelectorAll('.bx-answer')) await move(() => answer.click());
    return took;
}"""
"""Seconds of each move of the reading explorer: every option, some words, and every output."""


def found() -> bool:
    """Whether there is a browser to measure in."""
    return shutil.which("chromium") is not None


@contextmanager
def page() -> Iterator[Page]:
    """An empty notebook in JupyterLab, on a server of its own."""
    from browser.conftest import launched, serving
    from browser.lab import CourseServer, Lab, new_page

    from conftest import unused_port

    with (
        tempfile.TemporaryDirectory() as folder,
        contextmanager(serving)(CourseServer(Path(folder), unused_port())) as server,
        contextmanager(launched)() as chromium,
    ):
        lab = Lab(new_page(chromium), server)
        lab.open(server.scratch_address())
        yield Page(lab)


class Page:
    """What is measured on a page of the tests' own kind."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def show(self, source: str, selector: str) -> float:
        """Seconds until a cell shows its widget, in a kernel that has imported nothing."""
        self._lab.clear()
        self._lab.restart_kernel()
        seconds: float = self._lab.page.evaluate(RUN, [source, selector])
        self._lab.wait_for_widgets()
        return seconds

    def turn_to(self, place: int) -> None:
        """Go on to a question of the quiz that has just been shown."""
        for _ in range(place):
            self._lab.notebook().get_by_role("button", name="Next question").click()

    def answer(self, question: Question, right: bool) -> float:
        """Seconds from *Check answer* to the feedback, of a question with one right answer."""
        panel = self._lab.notebook().locator(".birnn-quiz")
        wanted = next(i for i, answer in enumerate(question.answers) if answer.right == right)
        panel.locator(f"input[value='{wanted}']").click()
        self._watch("submit", ".birnn-quiz [role=status]")
        panel.get_by_role("button", name="Check answer").click()
        return self._watched()

    def move(self, key: str) -> float:
        """Seconds from a key in a viewer's first number field to its new sentence."""
        self._lab.notebook().locator(".birnn-panel input[type=number]").first.focus()
        self._watch("input", ".birnn-panel [role=status]")
        self._lab.page.keyboard.press(key)
        return self._watched()

    def explore(self) -> list[float]:
        """Seconds of the moves of the reading explorer that has just been shown."""
        seconds: list[float] = self._lab.page.evaluate(EXPLORE, ".bx")
        return seconds

    def _watch(self, event: str, selector: str) -> None:
        self._lab.page.evaluate(WATCH, [event, selector])

    def _watched(self) -> float:
        seconds: float = self._lab.page.evaluate("() => window.watched")
        self._lab.wait_for_widgets()
        return seconds
