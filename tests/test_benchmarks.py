"""The benchmarks run, and what they promise holds."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import checks
import g2p_peer
import nbformat
import notebook_costs
import pytest
import report
import site_pages
import startup
import summary
import torch
import training
import training_watch
import viewers
import watching
from counted import work
from in_kernel import fresh_kernel
from report import Ratio

from birnn_course.data.spelling import Spelling
from birnn_course.errors import CourseError
from birnn_course.exercises.checking import EXERCISES
from birnn_course.explore.panel import Integer, Panel, View


def test_every_control_is_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "load_spelling", lambda: TINY)
    for panel in viewers.viewers().values():
        start = dict(panel.values)
        moves = list(viewers.moves(start, panel.controls))
        assert {key for values in moves for key in start if values[key] != start[key]} == set(start)


def planted(draw: Callable[[int], object]) -> dict[str, Panel]:
    """A viewer that does something at one of its settings, and one that does nothing."""

    def drawn(n: int) -> View:
        if n == 2:
            draw(n)
        return View("", "")

    controls = [Integer("n", "n", 0, 2)]
    quick = Panel("quick", "Quick", controls, {"n": 0}, lambda n: View("", ""))
    return {"slow": Panel("slow", "Slow", controls, {"n": 0}, drawn), "quick": quick}


def test_a_slow_viewer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(viewers, "process_time", lambda: clock[0])

    def takes_long(n: int) -> None:
        clock[0] += 0.25

    monkeypatch.setattr(viewers, "viewers", lambda: planted(takes_long))
    assert viewers.measure() == {"slow": [0, 0.25], "quick": [0, 0]}
    assert viewers.slow(viewers.measure()) == ["slow"]


def laborious(panels: dict[str, Panel]) -> list[str]:
    """The viewers that call or compute more for one move than follows a hand at once."""
    found = set()
    for name, panel in panels.items():
        for values in viewers.moves(dict(panel.values), panel.controls):
            done = work(partial(panel._update, {"new": values}))
            if done.calls > 10_000 or done.numbers > 80_000_000 or len(panel.picture) > 60_000:
                found.add(name)
    return sorted(found)


def test_no_viewer_does_much_for_a_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(viewers, "load_spelling", lambda: TINY)
    assert laborious(viewers.viewers()) == []


@pytest.mark.parametrize(
    "draw", [lambda n: [chr(i) for i in range(20_000)], lambda n: torch.ones(1).expand(10**8)]
)
def test_a_viewer_that_does_much_is_found(draw: Callable[[int], object]) -> None:
    assert laborious(planted(draw)) == ["slow"]


# ── Ratios, tables, the summary ─────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ratio", "held", "cells"),
    [
        (Ratio("a / b", 1.7, least=1.7), True, ("1.70", "≥ 1.7")),
        (Ratio("a / b", 1.69, least=1.7), False, ("1.69", "≥ 1.7, **missed**")),
        (Ratio("a / b", 2.51, most=2.5), False, ("2.51", "≤ 2.5, **missed**")),
        (Ratio("a / b", 2e-7, most=1e-5), True, ("2.0e-07", "≤ 1e-05")),
        (Ratio("a / b", float("nan"), least=1), False, ("nan", "≥ 1, **missed**")),
        (Ratio("a / b", 0.0), True, ("0.00", "")),
        (Ratio("a / b", 0.005), True, ("0.005", "")),
    ],
)
def test_a_goal_that_is_missed_says_so(ratio: Ratio, held: bool, cells: tuple[str, str]) -> None:
    assert ratio.held == held
    assert ratio.cells() == ("a / b", *cells)


def test_ratios_are_taken_within_a_round() -> None:
    # the second round was ten times slower for both: medians of all would give 30 / 2
    assert report.paired([3, 30, 30], [2, 20, 2]) == 1.5
    with pytest.raises(ValueError, match="longer"):
        report.paired([1.0], [1.0, 2.0])


def test_the_processor_is_named_where_the_system_names_it(tmp_path: Path) -> None:
    listed = tmp_path / "cpuinfo"
    listed.write_text("processor\t: 0\nmodel name\t: A 9000\nprocessor\t: 1\nmodel name\t: B\n")
    assert report.processor(listed) == "A 9000"
    assert report.processor(tmp_path / "none")
    assert torch.__version__.partition("+")[0] in report.machine()
    assert not re.search(r"20\d\d", report.machine().replace(report.processor(), ""))  # no date


def test_the_summary_holds_the_ratios_of_every_page(tmp_path: Path) -> None:
    first = [Ratio("a / b", 1.0, least=2), Ratio("b / c", 3.0)]
    (tmp_path / "one.md").write_text(report.page("One", "About.", first, "| x |\n", "CPU A"))
    (tmp_path / "two.md").write_text(report.page("Two", "About.", [Ratio("d", 4.0)], "", "GPU B"))
    (tmp_path / "apart.md").write_text("# Another\n\n| x | y |\n")
    summary.main(["--out", str(tmp_path)])
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "| [One](one.md) | a / b | 1.00 | ≥ 2, **missed** |\n|  | b / c | 3.00 |  |\n" in text
    assert text.index("CPU A") < text.index("| [One]") < text.index("GPU B") < text.index("[Two]")
    assert "[apart](apart.md)" in text
    assert summary.summary(tmp_path) == text  # the summary itself is none of its pages


# ── Each benchmark, tiny ────────────────────────────────────────────────────────────────────────


def kept(name: str, folder: Path) -> str:
    """The page of a benchmark, which has a plot beside it and can be summed up."""
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    page = summary.read(folder / f"{name}.md")
    assert page is not None and page.ratios
    return (folder / f"{name}.md").read_text(encoding="utf-8")


def test_checks_are_timed(tmp_path: Path) -> None:
    checks.main(["--rounds", "1", "--exercises", "1", "--out", str(tmp_path)])
    assert "| `read_both_ways` | 01 |" in kept("checks", tmp_path)


def test_a_check_that_goes_wrong_is_not_timed() -> None:
    exercise = EXERCISES["read_both_ways"]
    with pytest.raises(SystemExit, match="read_both_ways did not pass"):
        checks.measure(exercise, exercise.mistakes[0].function, 1)


def test_what_a_check_adds_is_told_beside_the_solution() -> None:
    found = [
        checks.Timed("f", "01", own=0.1, first=0.9, right=0.2, slowest_wrong=0.4, mistake="m"),
        checks.Timed("g", "01", own=0.1, first=0.1, right=0.4, slowest_wrong=0.5, mistake="m"),
    ]
    assert [ratio.value for ratio in checks.ratios(found)] == pytest.approx([3, 1.625, 0.5, 0.9])
    assert "| `f` | 01 | m | 100.0 | 900 | 200 | 400 | 2.0 |" in checks.table(found)


def test_training_loops_are_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "words", partial(training.long_tailed, seed=1))
    monkeypatch.setattr(training, "SIZES", {"batch": (1, 2), "hidden size": (4, 8)})
    monkeypatch.setattr(training, "TOKENS", 1)
    monkeypatch.setattr(training, "USUAL", {"sequence length": 2, "batch": 2, "hidden size": 4})
    training.main(["--rounds", "1", "--sequences", "12", "--out", str(tmp_path)])
    text = kept("training_cpu", tmp_path)
    assert "| words: packed / tutorial |" in text
    assert "| ≥ 2.5" in text.partition("| long tail: equal lengths / tutorial |")[2].splitlines()[0]


def test_a_slower_loop_has_the_smaller_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    def seconds(run: object, batches: list[Any], device: object) -> float:
        return 3.0 if run is training.ours else 2.0

    monkeypatch.setattr(training, "seconds", seconds)
    found = training.compare("long tail", training.long_tailed(3), torch.device("cpu"), 2)
    assert found["fit / bare, packed"] == pytest.approx(2 / 3)
    words = {**found, "name": "words", "off, packed": 1e-3}
    missed = [ratio.compared for ratio in training.ratios([words, found]) if not ratio.held]
    assert missed == [
        "words: fit / bare, packed",
        "words: fit / bare, equal lengths",
        "words: off from the sequence alone, ours",
        *(f"long tail: {what}" for what in training.GOALS),
    ]


@pytest.mark.full
def test_watching_is_timed_beside_not_watching(tmp_path: Path) -> None:
    watching.main(["--rounds", "2", "--sentences", "100", "--words", "50", "--out", str(tmp_path)])
    text = kept("watching", tmp_path)
    assert "| names: fit, watched / unwatched |" in text
    assert "| letters: picture |" in text


def test_a_training_that_is_slowed_by_watching_is_told() -> None:
    slow = {"watched": [1.2, 1.2], "unwatched": [1.0, 1.1], "picture": [0.2, 0.2]}
    quick = {**slow, "watched": [1.01, 1.1]}
    held = [ratio.held for ratio in watching.ratios({"slow": slow, "quick": quick})]
    assert held == [False, True]


def test_pads_are_counted() -> None:
    targets = torch.tensor([[1, 1, 1], [1, -100, -100]])
    assert training.share_of_pads([(torch.zeros(2, 3), targets)]) == pytest.approx(2 / 6)


def test_the_cost_of_a_notebook_is_taken_apart(tmp_path: Path) -> None:
    train = (
        "end = time.process_time() + 0.6\nwhile time.process_time() < end:\n"
        "    model(torch.ones(9, 3)).sum().backward(); optimizer.step()"
    )
    busy = "end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    # no step of it in the same cell: what PyTorch imports here is no training
    first = (
        "import time\nimport torch\nmodel = torch.nn.Linear(3, 3)\n"
        "optimizer = torch.optim.SGD(model.parameters(), 0.1)"
    )
    again = f"optimizer = torch.optim.SGD(model.parameters(), 0.1)\n{busy}\noptimizer.step()"
    sources = [first, train, busy, f"{again}\n{busy}"]
    path = tmp_path / "small.ipynb"
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    (measured,) = notebook_costs.measure([path], ["--nbval", "--nbval-current-env"])
    made, trained, computed, both = measured.cells
    assert made.training == 0
    # The loops are the least that is spent; a slow machine adds to them, never takes away.
    assert 0.5 < trained.training < trained.cpu
    assert computed.training == 0 and computed.cpu > 0.25
    assert 0.25 < both.training < both.cpu - 0.25
    assert measured.slowest == max(measured.cells, key=lambda cell: cell.cpu)
    assert measured.memory > 50 * 2**20
    assert measured.rest == pytest.approx(measured.cpu - trained.training - both.training)


@pytest.mark.full
def test_a_notebook_that_differs_is_not_measured(tmp_path: Path) -> None:
    path = tmp_path / "wrong.ipynb"
    output = nbformat.v4.new_output("stream", name="stdout", text="2\n")
    cell = nbformat.v4.new_code_cell("print(1)", outputs=[output])
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    with pytest.raises(SystemExit, match="differs"):
        notebook_costs.measure([path], ["--nbval", "--nbval-current-env"])


def notebook(name: str, rest: float, trained: float) -> notebook_costs.Measured:
    cell = notebook_costs.Cell("", rest + trained, trained)
    return notebook_costs.Measured(name, 1.0, rest + trained, 2**20, (cell,))


def test_training_is_not_counted_against_the_floor(tmp_path: Path) -> None:
    floor, found = notebook("floor", 2, 0), [notebook("a", 3, 50), notebook("b", 6, 0)]
    promise, all_of_it, most = notebook_costs.ratios(floor, found)
    assert promise.value == (3 + 6) / (2 * 2) and promise.held
    assert all_of_it.value == 59 / 4 and most.value == 3
    slow = [notebook("a", 3, 50), notebook("b", 7.5, 0)]
    assert not notebook_costs.ratios(floor, slow)[0].held
    assert "| all 2 | 2 | 59 | 50 |  |  |  |" in notebook_costs.table(floor, found)
    notebook_costs.plot(floor, found).savefig(tmp_path / "plot.png")


def test_floors_run_among_the_notebooks() -> None:
    floors, paths = [Path("f0"), Path("f1")], [Path("a"), Path("b"), Path("c"), Path("d")]
    order = "".join(path.name for path in notebook_costs.spread(floors, paths))
    assert order == "abf0cdf1"


def test_two_models_trained_in_turns_are_counted_once() -> None:
    assert training_watch.covered([(0, 4), (1, 5), (7, 8), (2, 3)]) == 6
    assert training_watch.covered([]) == training_watch.covered([(3, 3)]) == 0


def test_waiting_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = (*startup.WIDGETS, "answer, chosen", "answer, code, later", "viewer, one move")
    monkeypatch.setattr(startup, "IMPORTS", dict.fromkeys(startup.IMPORTS, "pass"))
    monkeypatch.setattr(startup, "in_kernel", lambda n: {name: [2.0] * n for name in names})
    monkeypatch.setattr(viewers, "measure", lambda: {"slow_explorer": [0.1, 0.25]})
    startup.main(["--rounds", "1", "--no-browser", "--out", str(tmp_path)])
    text = kept("startup", tmp_path)
    assert "| answer, chosen | 2.000 | not measured |" in text
    assert "(`slow_explorer`), Python alone, seconds | 0.25 | ≤ 0.2, **missed** |" in text
    assert "browser | " not in text.partition("| process |")[0]


@pytest.mark.parametrize(("seconds", "held"), [(0.09, True), (0.11, False)])
def test_an_explorer_that_lags_is_told(seconds: float, held: bool) -> None:
    names = (*startup.WIDGETS, "answer, chosen", "viewer, one move")
    browser = {name: [2.0] for name in names} | {"explorer, slowest move": [seconds]}
    processes = {name: [1.0] for name in startup.IMPORTS}
    found = startup.ratios(processes, {}, browser, {"any": [0.1]})
    assert [one.held for one in found if "reading explorer" in one.compared] == [held]


def test_a_kernel_is_spoken_to_as_a_page_does() -> None:
    with fresh_kernel() as kernel:
        shown = kernel.show(startup.QUIZ)
        assert shown.seconds > 0 and shown.state["questions"]
        question = startup.first_of("one")
        content = {"id": question.id, "response": [0], "sure": None}
        took, changed = kernel.send(shown.comm, {"method": "custom", "content": content})
        assert took > 0 and changed["states"][question.id]["html"]
        data = {"method": "update", "state": {"questions": []}, "buffer_paths": []}
        with pytest.raises(SystemExit, match="has not followed"):
            startup._moved(kernel, shown.comm, [data])
        with pytest.raises(SystemExit, match="ZeroDivisionError"):
            kernel.show("1 / 0")
        with pytest.raises(SystemExit, match="no widget"):
            kernel.show("1")


@pytest.mark.full
def test_the_site_is_made_and_opened(tmp_path: Path) -> None:
    site_pages.main(["--rounds", "1", "--out", str(tmp_path)])
    assert "| lessons/02_shapes.html | " in kept("site_pages", tmp_path)


def test_a_site_that_costs_too_much_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.html").write_text("x" * 500_001)
    heavy, light = site_pages.weights(tmp_path), {"index.html": 4.0}
    quick, slow = site_pages.Opened(90_000, 0.9), site_pages.Opened(90_000, 2.6)
    assert heavy == {"a/b.html": 500.001}
    assert all(one.held for one in site_pages.ratios([9.0, 70.0, 8.0], light, [quick, quick, slow]))
    found = site_pages.ratios([70.0], heavy, [slow])
    assert [one.held for one in found] == [False, False, True, False]


# ── Phonetisaurus ───────────────────────────────────────────────────────────────────────────────

TINY = Spelling(
    sounds={
        "so": ("S", "OW"),
        "the": ("DH", "_", "AH"),
        "cat": ("K", "AE", "T"),
        "at": ("AE", "T"),
        "either": ("IY", "_", "DH", "_", "ER", "_"),
        "no": ("N", "OW"),
    },
    others={"the": (("DH", "IY"),), "either": (("AY", "DH", "ER"),)},
    train=("so", "the"),
    dev=(),
    test=("cat", "at", "either", "no"),
)
# cat is right, at is not answered, either is the second listed, no is wrong in one phone of two
ANSWERS = "no N AO\neither AY DH ER\nat\ncat K AE T\n"


def fake_tool(folder: Path, answers: str) -> Path:
    """A program that keeps what it is given and answers what it is told to."""
    tool = folder / "phonetisaurus"
    tool.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, sys\n"
        f"folder = pathlib.Path({str(folder)!r})\n"
        "if sys.argv[1] == 'train':\n"
        "    lexicon = pathlib.Path(sys.argv[4]).read_text()\n"
        "    (folder / 'trained').write_text(lexicon)\n"
        "    pathlib.Path(sys.argv[3]).touch()\n"
        "elif pathlib.Path(sys.argv[3]).exists():\n"
        "    (folder / 'asked').write_text(sys.stdin.read())\n"
        f"    print({answers!r}, end='')\n"
    )
    tool.chmod(0o755)
    return tool


def test_a_peer_learns_the_training_words_and_is_asked_the_test_words(tmp_path: Path) -> None:
    row = g2p_peer.measure(fake_tool(tmp_path, ANSWERS), TINY, "first")
    # errors in phones: 0 of 3, 2 of 2, 0 of 3, 1 of 2
    assert row[:5] == ("4", "50.00", "75.00", "30.00", "1")
    assert (tmp_path / "trained").read_text() == "so S OW\nthe DH AH\n"
    assert (tmp_path / "asked").read_text().split() == list(TINY.test)
    g2p_peer.measure(tmp_path / "phonetisaurus", TINY, "all")
    assert (tmp_path / "trained").read_text() == "so S OW\nthe DH AH\nthe DH IY\n"


def test_a_peer_that_answers_badly_is_scored_badly() -> None:
    def wrong(printed: str) -> str:
        return g2p_peer.score(g2p_peer.answers(printed), TINY)[1]

    right = ANSWERS.replace("N AO", "N OW") + "at AE T\n"
    assert wrong(right) == "0.00"
    assert wrong(right.replace("K AE T", "K AH T")) == "25.00"
    assert wrong(right.replace("at AE T\n", "")) == "25.00"  # nobody's answer moves up
    assert wrong(right.replace("at AE T", "bat AE T")) == "25.00"
    assert wrong("cat K AH T\n" + right) == "25.00"  # only the first answer counts
    assert wrong("") == "100.00"


def test_a_peer_that_is_missing_or_fails_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert g2p_peer.main(["--tool", str(tmp_path / "none")]) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and "'.[bench]'" in captured.err
    tool = fake_tool(tmp_path, "")
    tool.write_text(f"#!{sys.executable}\nraise SystemExit('no room')\n")
    with pytest.raises(CourseError, match=r"train failed: no room"):
        g2p_peer.measure(tool, TINY, "first")


def test_a_row_replaces_only_the_row_of_the_same_run(tmp_path: Path) -> None:
    def row(n_train: str, split: str, readings: str, wer: str) -> tuple[str, ...]:
        rest = ["-"] * (len(g2p_peer.COLUMNS) - 5)
        return (n_train, split, "0", readings, wer, *rest)

    path = tmp_path / "results" / "peer.md"
    family, large = row("20,000", "family", "first", "1"), row("103,493", "word", "first", "2")
    both, small = row("5,000", "word", "all", "3"), row("5,000", "word", "first", "4")
    for added in (family, large, both, row("5,000", "word", "first", "9"), small):
        g2p_peer.save(added, path)
    text = path.read_text(encoding="utf-8")
    assert text.endswith(report.table(g2p_peer.COLUMNS, (small, both, large, family), left=0))


def test_the_stored_table_holds_every_run() -> None:
    text = g2p_peer.RESULTS.read_text(encoding="utf-8")
    assert text.startswith(g2p_peer.ABOUT)
    for n_train, split in g2p_peer.RUNS:
        for readings in ("first", "all"):
            assert f"| {n_train:,} | {split} | 0 | {readings} |" in text
