"""How fast ``fit`` trains, beside a bare loop and the padded loop of many tutorials.

``make bench-training``; ``BIRNN_DEVICE=cuda make bench-training`` on a GPU. Everything is measured
in real tokens a second, pads not counted, on two sets of sequences: words of the dictionary, and
lengths with a long tail (log-normal, as sentences have). All loops train the same model, from the
same start, on the same sequences, one after the other in each round, in every second round the
other way round: whoever comes second finds what the first one had PyTorch prepare. Ratios are taken
within a round, and their median over the rounds is told. ``fit`` and the bare loop differ by less
than one such round by the next, so they are compared on few batches and many times as often.

- *bare*: nothing but PyTorch, over the very batches that ``fit`` gets, in the same random order;
- *tutorial*: random batches, padded to the longest, not packed;
- *packed*: ``fit`` over batches of similar length, packed;
- *equal*: ``fit`` over batches of one length, which hold no pads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import report
import torch
import torch.nn.functional as F
from torch import nn

from birnn_course import SequenceTagger, fit, load_spelling, setup
from birnn_course.data.batches import Batch, batches_of_one_length, padded_batches

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BATCH, HIDDEN, EMBEDDING, TAGS = 64, 128, 64, 40
Pairs = list[tuple[list[int], list[int]]]


def words(n: int) -> Pairs:
    """Letters and sounds of real words."""
    data = load_spelling(n)
    return [(list(ids), list(tags)) for ids, tags in data.encode(data.train)][:n]


def long_tailed(n: int, seed: int = 0) -> Pairs:
    """Sequences of random ids; most are short, a few are very long: mean 24, at most 150."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.empty(n).log_normal_(2.9, 0.75, generator=generator).round().clamp(2, 150)

    def ids(count: int, below: int) -> list[int]:
        drawn: list[int] = torch.randint(below, (count,), generator=generator).tolist()
        return drawn

    return [(ids(int(n), 26), ids(int(n), TAGS)) for n in lengths]


def new_model(device: torch.device, hidden: int = HIDDEN) -> nn.Module:
    """The same weights each time."""
    torch.manual_seed(0)
    return SequenceTagger(26, 200, hidden, bidirectional=True, embedding_dim=EMBEDDING).to(device)


def bare(model: nn.Module, batches: Sequence[Batch]) -> None:
    """One epoch as everybody writes it."""
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    order = torch.randperm(len(batches), generator=torch.Generator().manual_seed(0)).tolist()
    model.train()
    for i in order:
        inputs, targets, *lengths = batches[i]
        loss = F.cross_entropy(model(inputs, *lengths).movedim(-1, 1), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def ours(model: nn.Module, batches: Sequence[Batch]) -> None:
    """One epoch of ``fit``."""
    fit(model, batches, epochs=1, lr=1e-3)


def seconds(run: Callable[[nn.Module, Any], None], batches: Any, device: torch.device) -> float:
    """Of the processor on a CPU, by the clock on a GPU."""
    model = new_model(device)
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    _wait(device)
    start = clock()
    run(model, batches)
    _wait(device)
    return clock() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


def without_lengths(batches: Sequence[Batch]) -> list[Batch]:
    """What a tutorial's loop feeds its model."""
    return [(inputs, targets) for inputs, targets, _ in batches]


def share_of_pads(batches: Sequence[Batch]) -> float:
    """Of all steps that an unpacked model computes."""
    steps = sum(batch[0].numel() for batch in batches)
    return 1 - sum(int((batch[1] != -100).sum()) for batch in batches) / steps


@torch.no_grad()
def furthest(batches: Sequence[Batch], device: torch.device) -> float:
    """How far the scores of a sequence in its batch are from those it has alone, at most."""
    model = new_model(device).eval()
    worst = 0.0
    for inputs, targets, *lengths in batches:
        together = model(inputs, *lengths)
        for row, ids, real in zip(together, inputs, targets != -100, strict=True):
            n = int(real.sum())
            worst = max(worst, float((row[:n] - model(ids[None, :n])[0]).abs().max()))
    return worst


def compare(name: str, pairs: Pairs, device: torch.device, rounds: int) -> dict[str, Any]:
    """All loops on one set of sequences."""
    packed = padded_batches(pairs, BATCH, by_length=True, device=device)
    equal = batches_of_one_length(pairs, BATCH, device)
    random = padded_batches(pairs, BATCH, device=device)
    loops: dict[str, tuple[Callable[[nn.Module, Any], None], Any]] = {
        "fit, packed": (ours, packed),
        "bare, packed": (bare, packed),
        "fit, equal lengths": (ours, equal),
        "bare, equal lengths": (bare, equal),
        "tutorial": (bare, without_lengths(random)),
        "tutorial, packed": (bare, random),
    }
    n = sum(len(ids) for ids, _ in pairs)
    for run, batches in loops.values():
        seconds(run, batches[:5], device)  # what is made at first use
    times: dict[str, list[float]] = {loop: [] for loop in loops}
    for number in range(rounds):
        for loop in loops if number % 2 == 0 else reversed(loops):
            run, batches = loops[loop]
            times[loop].append(seconds(run, batches, device))

    def beside_bare(batches: Sequence[Batch]) -> float:
        few = batches[:: max(1, len(batches) // 16)]
        close: dict[Callable[[nn.Module, Any], None], list[float]] = {ours: [], bare: []}
        for number in range(12 * rounds):
            for run in close if number % 2 == 0 else reversed(close):
                close[run].append(seconds(run, few, device))
        return report.paired(close[bare], close[ours])

    def ratio(of: str, to: str) -> float:
        return report.paired(times[to], times[of])  # twice the seconds are half the speed

    some = slice(None, None, max(1, len(random) // 12))
    return {
        "name": name,
        "sequences": len(pairs),
        "mean length": n / len(pairs),
        "tokens a second": {loop: n / statistics.median(took) for loop, took in times.items()},
        "fit / bare, packed": beside_bare(packed),
        "fit / bare, equal lengths": beside_bare(equal),
        "packed / tutorial": ratio("fit, packed", "tutorial"),
        "equal lengths / tutorial": ratio("fit, equal lengths", "tutorial"),
        "pads, random batches": share_of_pads(random),
        "pads, by length": share_of_pads(packed),
        "pads, equal lengths": share_of_pads(equal),
        "off, packed": furthest(packed[some], device),
        "off, equal lengths": furthest(equal[some], device),
        "off, tutorial": furthest(without_lengths(random)[some], device),
    }


SIZES = {
    "sequence length": (5, 10, 20, 40, 80, 160),
    "batch": (1, 4, 16, 64, 256),
    "hidden size": (16, 32, 64, 128, 256, 512),
}
"""What grows, one at a time; the others are :data:`USUAL`."""
TOKENS = 4_000
"""How many one measure of growth trains on, at least."""
USUAL = {"sequence length": 20, "batch": BATCH, "hidden size": HIDDEN}


def growth(device: torch.device) -> dict[str, list[tuple[int, float]]]:
    """Thousands of tokens a second, as one size grows and the others stay."""

    def speed(changed: dict[str, int]) -> float:
        length, batch, hidden = {**USUAL, **changed}.values()
        ids = torch.randint(26, (batch, length), device=device)
        tags = torch.randint(TAGS, (batch, length), device=device)
        batches = [(ids, tags)] * max(2, TOKENS // (batch * length))

        def run(_: nn.Module, some: Any) -> None:
            bare(new_model(device, hidden), some)

        run(new_model(device, hidden), batches[:2])
        best = min(seconds(run, batches, device) for _ in range(3))
        return len(batches) * batch * length / best / 1000

    return {name: [(n, speed({name: n})) for n in sizes] for name, sizes in SIZES.items()}


GOALS = {
    "fit / bare, packed": (0.97, 0.97),
    "fit / bare, equal lengths": (0.97, 0.97),
    "packed / tutorial": (None, 1.7),
    "equal lengths / tutorial": (None, 2.5),
}
"""Speeds divided by each other, and how large that should be for words and with a long tail."""
ALIKE = 1e-5
"""How far the scores of a sequence may be from those that it has alone."""


def ratios(found: Sequence[dict[str, Any]]) -> list[report.Ratio]:
    """What was promised, and what each sequence's result pays for it."""
    kept = []
    for result, goals in zip(found, zip(*GOALS.values(), strict=True), strict=True):
        name = result["name"]
        kept += [
            report.Ratio(f"{name}: {what}", result[what], least=goal)
            for what, goal in zip(GOALS, goals, strict=True)
        ]
        worst = max(result["off, packed"], result["off, equal lengths"])
        kept.append(report.Ratio(f"{name}: off from the sequence alone, ours", worst, most=ALIKE))
        kept += [
            report.Ratio(f"{name}: off from the sequence alone, tutorial", result["off, tutorial"]),
            report.Ratio(f"{name}: share of pads, tutorial", result["pads, random batches"]),
        ]
    return kept


def table(found: Sequence[dict[str, Any]], sizes: dict[str, list[tuple[int, float]]]) -> str:
    """All of it in Markdown."""
    rows = []
    for key in found[0]:
        if key == "tokens a second":
            for loop in found[0][key]:
                speeds = (f"{result[key][loop] / 1000:.1f}" for result in found)
                rows.append([f"{loop}: thousand tokens a second", *speeds])
        elif key not in ("name", *GOALS):
            rows.append([key, *(_shown(key, result[key]) for result in found)])
    parts = [report.table(["measured", *(result["name"] for result in found)], rows)]
    for name, points in sizes.items():
        head, speeds = [str(size) for size, _ in points], [f"{speed:.1f}" for _, speed in points]
        grown = report.table(head, [speeds], left=0)
        parts.append(f"Thousand tokens a second by {name}:\n\n{grown}")
    return "\n".join(parts)


def _shown(key: str, value: float) -> str:
    if key == "sequences":
        return f"{value:,}"
    if key.startswith("off"):
        return f"{value:.1e}"
    return f"{100 * value:.1f} %" if key.startswith("pads") else f"{value:.2f}"


def plot(found: Sequence[dict[str, Any]], sizes: dict[str, list[tuple[int, float]]]) -> Figure:
    """The loops beside each other, and how the speed grows with each size."""
    figure = report.new_figure(11, 6.4)
    above, below = figure.subfigures(2, 1)
    for axes, result in zip(above.subplots(1, len(found), squeeze=False)[0], found, strict=True):
        speeds = {loop: n / 1000 for loop, n in result["tokens a second"].items()}
        report.bars(axes, speeds, "thousand real tokens a second", "{:.0f}")
        axes.set_title(result["name"])
    for axes, (name, points) in zip(below.subplots(1, len(sizes)), sizes.items(), strict=True):
        axes.plot(*zip(*points, strict=True), marker="o")
        axes.set(xscale="log", xlabel=name, ylabel="thousand tokens a second")
        axes.set_ylim(bottom=0)
        axes.set_xticks([size for size, _ in points], [str(size) for size, _ in points])
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Print the table, and keep it with a plot."""
    parser = report.options(__doc__, rounds=4)
    parser.add_argument("--sequences", type=int, default=4_000, help="of each set (4000)")
    chosen = parser.parse_args(arguments)
    device = setup()
    n = chosen.sequences
    found = [
        compare("words", words(n), device, chosen.rounds),
        compare("long tail", long_tailed(n), device, chosen.rounds),
    ]
    sizes = growth(device)
    where = "GPU" if device.type == "cuda" else "CPU, one thread"
    about = (
        f"Bidirectional LSTM, embedding {EMBEDDING}, hidden size {HIDDEN}, batch {BATCH}; the "
        f"median of {chosen.rounds} rounds, ratios within a round; fit beside the bare loop: of "
        f"{12 * chosen.rounds} pairs. Where one size grows, the "
        f"sequences have {USUAL['sequence length']} steps. What each line means stands in "
        "`benchmarks/training.py`."
    )
    text = report.page(
        f"Training: `fit` beside other loops ({where})",
        about,
        ratios(found),
        table(found, sizes),
        report.machine(device),
    )
    report.keep(f"training_{device.type}", text, plot(found, sizes), chosen.out)


if __name__ == "__main__":
    main()
