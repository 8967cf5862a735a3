"""The benchmarks run, and what they promise holds."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import g2p_peer
import pytest

from birnn_course.data.spelling import Spelling
from birnn_course.errors import CourseError
from birnn_course.explore.panel import Panel, View, Whole

import viewers


@pytest.mark.timing
def test_every_viewer_follows_within_200_ms(capsys: pytest.CaptureFixture[str]) -> None:
    assert viewers.main() == 0, capsys.readouterr().out
    sys.stdout.write(capsys.readouterr().out)


def test_every_control_is_moved() -> None:
    for panel in viewers.viewers().values():
        start, moves = panel.values, list(viewers.moves(panel))
        assert {key for values in moves for key in start if values[key] != start[key]} == set(start)


def test_a_slow_viewer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(n: int) -> View:
        time.sleep(0.25 if n == 2 else 0)
        return View("", "")

    def slow() -> Panel:
        return Panel("Slow", [Whole("n", "n", 0, 2)], {"n": 0}, draw)

    monkeypatch.setattr(viewers, "viewers", lambda: {"slow": slow()})
    assert viewers.main() == 1


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
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1 and "'.[bench]'" in said.err
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
