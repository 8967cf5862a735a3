"""What it costs to watch a training in a notebook, beside the same training unwatched.

A kernel trains the taggers of lesson 01 whose steps are the shortest of the course, so that drawing
weighs most: the names, and the letters of words. Watched and unwatched are the same training from
the same start, one after the other in each round, in every second round the other way round. Only
``fit`` is timed, in seconds of the processor; the picture that is left below the cell is timed
apart, because it is drawn once, however long the training was.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import report
import torch
from in_kernel import fresh_kernel
from torch import Tensor, nn

from birnn_course import Race, SequenceTagger, fit, load_spelling, names_task, setup
from birnn_course.data.batches import Batch, batches_of_one_length
from birnn_course.draw import race as drawing

MOST = 1.05
"""How many times as long a training may take that is watched."""

Start = Callable[[], nn.Module]
Training = tuple[Start, list[Batch], Callable[[Tensor], Tensor] | None, int]


def trainings(sentences: int, words: int) -> dict[str, Training]:
    """Name to model, batches, what is scored, and the number of epochs."""
    names = names_task()
    ids, tags = names.sample(sentences, seed=1)
    data = load_spelling(words)
    letters = batches_of_one_length(data.encode(data.train), 64)

    def tagger(n_words: int, n_tags: int, hidden: int, cell: str) -> Start:
        def start() -> nn.Module:
            torch.manual_seed(0)
            return SequenceTagger(n_words, n_tags, hidden, cell=cell, bidirectional=True)

        return start

    small = tagger(len(names.words), len(names.tags), 32, "gru")
    large = tagger(26, len(data.tags), 64, "lstm")
    pairs: list[Batch] = list(zip(ids.split(50), tags.split(50), strict=True))
    return {
        "names": (small, pairs, names.is_ambiguous, 4),
        "letters": (large, letters, None, 2),
    }


def measure(rounds: int, sentences: int, words: int) -> dict[str, dict[str, list[float]]]:
    """Processor seconds of each round, in this kernel, and of the picture that is left."""
    setup()
    found: dict[str, dict[str, list[float]]] = {}
    for name, (start, batches, where, epochs) in trainings(sentences, words).items():
        took: dict[str, list[float]] = {"watched": [], "unwatched": [], "picture": []}
        for i in range(-1, rounds):
            for way in ("watched", "unwatched")[:: 1 if i % 2 else -1]:
                race, model = Race(where=where, limits={"limit": 0.6}), start()
                lane = race.lane(name)
                began = time.process_time()
                if way == "watched":
                    fit(model, batches, epochs=epochs, watch=lane)
                else:
                    with mock.patch.object(drawing, "kernel", lambda: None):
                        fit(model, batches, epochs=epochs)
                ended = time.process_time()
                if i >= 0:  # before, PyTorch and matplotlib prepare
                    took[way].append(ended - began)
                if way == "watched":
                    race._repr_mimebundle_()
                    took["picture"] += [time.process_time() - ended] * (i >= 0)
        found[name] = took
    return found


def in_kernel(rounds: int, sentences: int, words: int) -> dict[str, dict[str, list[float]]]:
    """The same in a kernel of its own."""
    here = str(Path(__file__).parent)
    code = (
        f"import json, sys; sys.path.insert(0, {here!r}); import watching\n"
        f"print(json.dumps(watching.measure({rounds}, {sentences}, {words})))"
    )
    with fresh_kernel() as kernel:
        found: dict[str, Any] = json.loads(kernel.printed(code))
    return found


def ratios(found: dict[str, dict[str, list[float]]]) -> list[report.Ratio]:
    """Of each training, what watching it costs."""
    return [
        report.Ratio(
            f"{name}: fit, watched / unwatched",
            report.paired(took["watched"], took["unwatched"]),
            most=MOST,
        )
        for name, took in found.items()
    ]


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and keep it with a plot."""
    parser = report.options(__doc__, rounds=6)
    parser.add_argument("--sentences", type=int, default=6_000, help="of the names (6000)")
    parser.add_argument("--words", type=int, default=5_000, help="for the letters (5000)")
    chosen = parser.parse_args(arguments)
    found = in_kernel(chosen.rounds, chosen.sentences, chosen.words)
    medians = {
        f"{name}: {what}": statistics.median(times)
        for name, took in found.items()
        for what, times in took.items()
    }
    figure = report.new_figure(8, 2.6)
    report.bars(figure.subplots(), medians, "processor seconds", "{:.2f}")
    text = report.page(
        "Watching a training",
        f"The median of {chosen.rounds} rounds, ratios within a round. What was trained stands in "
        "`benchmarks/watching.py`.",
        ratios(found),
        report.table(
            ["median", "processor seconds"], [[k, f"{v:.3f}"] for k, v in medians.items()]
        ),
        report.machine(),
    )
    report.keep("watching", text, figure, chosen.out)


if __name__ == "__main__":
    main()
