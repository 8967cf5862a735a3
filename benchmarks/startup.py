"""How long a learner waits before the course answers: ``make bench-startup``.

All in seconds by the clock, each the median of the rounds; ratios are taken within a round.

- *Imports*: whole processes of Python, from the start to the end.
- *First widget*: a kernel that has imported nothing runs one cell; until its widget arrives. The
  peer is a plain slider of ipywidgets after ``import torch``, which every notebook needs anyway.
- *Answer* and *viewer*: the message that the page would send to the kernel, until all that it
  changes has come back: a question to choose from, a line of code (which is really run), the
  threshold viewer.
- *Explorer*: each option of the reading explorer, three words and every output, from the event to
  the frame that shows it; its network runs in the page, so no kernel is asked.
- *In the browser*: the same in JupyterLab in Chromium, drawing included, if there is a Chromium.
- *Viewers*: every control of every viewer moved, in Python alone (``viewers.py``).
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import report
import viewers
from in_browser import found as browser_found
from in_browser import page
from in_kernel import Kernel, fresh_kernel

from birnn_course.questions.bank import Question, practice

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Times = dict[str, list[float]]

IMPORTS = {
    "python": "pass",
    "import birnn_course": "import birnn_course",
    "import torch": "import torch",
    "a lesson's first import": "from birnn_course import setup",
}
SLIDER = "import torch, ipywidgets\nipywidgets.IntSlider()"
QUIZ = "from birnn_course import quiz\nquiz('01')"
VIEWER = "from birnn_course import threshold_explorer\nthreshold_explorer()"
WIDGETS = {
    "slider of ipywidgets": (SLIDER, ".widget-slider"),
    "quiz": (QUIZ, ".birnn-quiz"),
    "viewer": (VIEWER, ".birnn-panel"),
}
EXPLORER = "from birnn_course import reading_explorer\nreading_explorer('free', 'background')"
LIMIT_OF_A_MOVE = 0.1
"""Seconds after which a move of the explorer is felt to lag; its network runs in the browser."""


def imports(rounds: int) -> Times:
    """Seconds of each process."""
    times: Times = {name: [] for name in IMPORTS}
    for _ in range(rounds + 1):  # the first one brings the files into memory
        for name, code in IMPORTS.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            times[name].append(time.perf_counter() - start)
    return {name: took[1:] for name, took in times.items()}


def first_of(kind: str) -> Question:
    """The first question of a kind that the quiz of unit 01 asks."""
    return next(question for question in practice("01") if question.kind == kind)


def in_kernel(rounds: int) -> Times:
    """Seconds until the kernel has answered; each round has fresh kernels."""
    times: Times = {}
    choice, code = first_of("one"), first_of("code")
    right = [answer.right for answer in choice.answers].index(True)
    for _ in range(rounds):
        with fresh_kernel() as kernel:
            _add(times, "slider of ipywidgets", kernel.show(SLIDER).seconds)
        with fresh_kernel() as kernel:
            shown = kernel.show(QUIZ)
            _add(times, "quiz", shown.seconds)
            for name, question, response in (
                ("answer, chosen", choice, [right]),
                ("answer, code, the first", code, code.right[0].text),
                ("answer, code, later", code, code.right[0].text),
            ):
                content = {"id": question.id, "response": response, "sure": None}
                took, changed = kernel.send(shown.comm, {"method": "custom", "content": content})
                if question.id not in changed.get("states", {}):
                    raise SystemExit(f"{question.id}: an answer without feedback")
                _add(times, name, took)
        with fresh_kernel() as kernel:
            shown = kernel.show(VIEWER)
            _add(times, "viewer", shown.seconds)
            moves = viewers.moves(shown.state["values"], shown.state["controls"])
            _add(times, "viewer, one move", statistics.median(_moved(kernel, shown.comm, moves)))
    return times


def _moved(kernel: Kernel, comm: str, moves: Iterable[dict[str, Any]]) -> list[float]:
    """Seconds until the viewer has followed each move; some moves change no picture."""
    times, redrawn = [], 0
    for values in moves:
        data = {"method": "update", "state": {"values": values}, "buffer_paths": []}
        took, changed = kernel.send(comm, data)
        times.append(took)
        redrawn += "picture" in changed
    if not redrawn:
        raise SystemExit("the viewer has not followed its controls")
    return times


def in_browser(rounds: int) -> Times:
    """Seconds until it stands on the page; each round has a fresh kernel for each widget."""
    times: Times = {}
    with page() as opened:
        for number in range(rounds + 1):
            one: dict[str, float] = {}
            for name, (source, selector) in WIDGETS.items():
                one[name] = opened.show(source, selector)
                if name == "quiz":
                    question = first_of("one")
                    opened.turn_to(practice("01").index(question))
                    one["answer, chosen"] = opened.answer(question, right=number % 2 == 0)
                if name == "viewer":
                    keys = itertools.islice(itertools.cycle(("ArrowUp", "ArrowDown")), 6)
                    one["viewer, one move"] = statistics.median([opened.move(key) for key in keys])
            opened.show(EXPLORER, ".bx-answer")
            one["explorer, slowest move"] = max(opened.explore())
            if number:  # in the first one the page fetches its scripts
                for name, took in one.items():
                    _add(times, name, took)
    return times


def _add(times: Times, name: str, seconds: float) -> None:
    times.setdefault(name, []).append(seconds)


def ratios(
    processes: Times, kernel: Times, browser: Times, moved: Mapping[str, Sequence[float]]
) -> list[report.Ratio]:
    """What a reader takes away."""
    found = [
        report.Ratio(
            "import birnn_course / an empty Python",
            report.paired(processes["import birnn_course"], processes["python"]),
        ),
        report.Ratio(
            "a lesson's first import / import torch",
            report.paired(processes["a lesson's first import"], processes["import torch"]),
        ),
    ]
    for where, times in (("kernel", kernel), ("browser", browser)):
        found += [
            report.Ratio(
                f"first {name} / first slider of ipywidgets after import torch, {where}",
                report.paired(times[name], times["slider of ipywidgets"]),
            )
            for name in ("quiz", "viewer")
            if times
        ]
        found += [
            report.Ratio(f"{name}, {where}, seconds", statistics.median(times[name]))
            for name in ("answer, chosen", "viewer, one move")
            if times
        ]
    if browser:
        found.append(
            report.Ratio(
                "slowest move of the reading explorer, browser alone, seconds",
                statistics.median(browser["explorer, slowest move"]),
                most=LIMIT_OF_A_MOVE,
            )
        )
    slowest = max(moved, key=lambda name: max(moved[name]))
    found.append(
        report.Ratio(
            f"slowest move of any viewer (`{slowest}`), Python alone, seconds",
            max(moved[slowest]),
            most=viewers.LIMIT,
        )
    )
    return found


def table(
    processes: Times, kernel: Times, browser: Times, moved: Mapping[str, Sequence[float]]
) -> str:
    """All of it in Markdown."""
    parts = [
        report.table(
            ("process", "seconds"), ((name, _median(processes, name)) for name in processes)
        ),
        report.table(
            ("what is waited for", "kernel alone, s", "in the browser, s"),
            ((name, _median(kernel, name), _median(browser, name)) for name in kernel),
        ),
        report.table(
            ("viewer", "moves", "median, ms", "slowest, ms"),
            (
                (
                    name,
                    str(len(took)),
                    f"{1000 * statistics.median(took):.1f}",
                    f"{1000 * max(took):.1f}",
                )
                for name, took in moved.items()
            ),
        ),
    ]
    return "\n".join(parts)


def _median(times: Times, name: str) -> str:
    return f"{statistics.median(times[name]):.3f}" if name in times else "not measured"


def plot(
    processes: Times, kernel: Times, browser: Times, moved: Mapping[str, Sequence[float]]
) -> Figure:
    """A field for each part."""
    figure = report.new_figure(11, 6.4)
    fields = figure.subplots(2, 2)
    middle: Callable[[Sequence[float]], float] = statistics.median
    for axes, title, values, unit in (
        (fields[0, 0], "whole processes", {k: middle(v) for k, v in processes.items()}, "seconds"),
        (fields[0, 1], "kernel alone", {k: middle(v) for k, v in kernel.items()}, "seconds"),
        (fields[1, 0], "in the browser", {k: middle(v) for k, v in browser.items()}, "seconds"),
        (
            fields[1, 1],
            "slowest move, Python alone",
            {k: 1000 * max(v) for k, v in moved.items()},
            "milliseconds",
        ),
    ):
        axes.set_title(title)
        if values:
            report.bars(axes, values, unit)
        else:
            axes.text(0.5, 0.5, "not measured: no Chromium here", ha="center")
            axes.set_axis_off()
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store."""
    parser = report.options(__doc__, rounds=5)
    parser.add_argument("--no-browser", action="store_true", help="leave the browser out")
    chosen = parser.parse_args(arguments)
    import torch

    torch.set_num_threads(1)
    browser = {}
    if browser_found() and not chosen.no_browser:
        browser = in_browser(chosen.rounds)
    measured = imports(chosen.rounds), in_kernel(chosen.rounds), browser, viewers.measure()
    about = (
        f"The median of {chosen.rounds} rounds. What is waited for stands in "
        "`benchmarks/startup.py`."
    )
    text = report.page(
        "Start-up: how long a learner waits",
        about,
        ratios(*measured),
        table(*measured),
        report.machine(),
    )
    report.keep("startup", text, plot(*measured), chosen.out)


if __name__ == "__main__":
    main()
