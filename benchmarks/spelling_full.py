"""The best letter tagger this course can train, on all words: ``make bench-spelling``.

A bidirectional LSTM learns the sounds of 103,000 words of the CMU Pronouncing Dictionary, letter by
letter, and is judged on 12,000 others. The words are split at random, the aligner learns from the
training words alone, the 2,000 development words choose the epoch, and the test words are scored
once, at the end. A word is right if the dictionary lists the pronunciation.

After every epoch the state is written to a checkpoint: a run that was stopped goes on from there
and ends as if it had not been. ``--try`` compares settings with fewer words, on the development
words only; that is how the defaults were found.
"""

from __future__ import annotations

import dataclasses
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import report
import torch
import torch.nn.functional as F

from birnn_course import files, metrics, plots
from birnn_course.data.alignment import spoken
from birnn_course.data.batches import IGNORED, batches_of_one_length
from birnn_course.data.spelling import LETTERS, Spelling, load_spelling
from birnn_course.device import pick_device, setup
from birnn_course.models import SequenceTagger, count_parameters
from birnn_course.word_errors import phone_error_rate, word_error_rate


@dataclass(frozen=True)
class Settings:
    """Everything a result depends on, apart from the seed and the device."""

    n_train: int = 103_000
    hidden_size: int = 256
    num_layers: int = 2
    embedding_dim: int = 64
    dropout: float = 0.2
    epochs: int = 8
    batch_size: int = 64
    lr: float = 3e-3
    weight_decay: float = 0.0
    label_smoothing: float = 0.0

    @property
    def name(self) -> str:
        """Short, for file names; two settings never share one."""
        return "_".join(str(value) for value in dataclasses.astuple(self)).replace(".", "p")


PRESETS = {
    "cpu": Settings(),
    "gpu": Settings(hidden_size=512, num_layers=3, dropout=0.4, epochs=30, batch_size=256),
}

TRIED = """\
# What was tried for the full-size speller

One thing changed at a time: 20,000 words, 2 layers of 128 in each direction, dropout 0.3, 8 epochs,
one seed. WER in percent and loss in nats per letter, both on the 2,000 development words, after the
last epoch. Between two such WERs a difference below 2 points shows nothing. CPU minutes, one
thread. Made by `python benchmarks/spelling_full.py --try`.

"""
TRIALS: dict[str, dict[str, Any]] = {
    "learning rate halved": {"lr": 1.5e-3},
    "learning rate doubled": {"lr": 6e-3},
    "batches of 32": {"batch_size": 32},
    "batches of 128": {"batch_size": 128},
    "dropout 0.1": {"dropout": 0.1},
    "dropout 0.5": {"dropout": 0.5},
    "weight decay 0.1": {"weight_decay": 0.1},
    "label smoothing 0.1": {"label_smoothing": 0.1},
    "3 layers": {"num_layers": 3},
    "1 layer of 224": {"num_layers": 1, "hidden_size": 224},
    "twice the epochs": {"epochs": 16},
    "embedding of 256": {"embedding_dim": 256},
}


def score(model: SequenceTagger, data: Spelling, words: Sequence[str]) -> dict[str, float]:
    """Loss in nats per letter; token accuracy, macro-F1, word and phone error rate in percent."""
    device = next(model.parameters()).device
    order = sorted(words, key=len)  # as batches_of_one_length does, which keeps ties in order
    matrix = torch.zeros(len(data.tags), len(data.tags), dtype=torch.int64)
    predicted, loss = [], 0.0
    model.eval()
    with torch.no_grad():
        for ids, tags in batches_of_one_length(data.encode(order), 1_000, device):
            scores = model(ids)
            loss += F.cross_entropy(scores.flatten(0, 1), tags.flatten(), reduction="sum").item()
            best = scores.argmax(-1).cpu()
            matrix += metrics.confusion_matrix(tags.cpu(), best, len(data.tags))
            predicted += [spoken(data.tags[tag] for tag in row) for row in best.tolist()]
    counted = metrics.Scores(matrix)
    listed = [data.readings(word) for word in order]
    return {
        "loss": loss / int(matrix.sum()),
        "token accuracy": 100 * counted.accuracy,
        "macro-F1": 100 * counted.average("macro", "f1", undefined=float("nan")),
        "WER": 100 * word_error_rate(predicted, listed),
        "WER, first only": 100 * word_error_rate(predicted, [right[:1] for right in listed]),
        "PER": 100 * phone_error_rate(predicted, listed),
    }


def train(
    data: Spelling,
    settings: Settings,
    seed: int,
    device: torch.device,
    checkpoint: Path,
    tell: Callable[[dict[str, Any]], object] = lambda epoch: None,
) -> dict[str, Any]:
    """Train from the checkpoint, or from the start, to the end; the best epoch's state and more.

    Each epoch is told when it is kept, and those of the checkpoint at once.

    Returns
    -------
    dict
        ``epochs`` (one dict each: epoch, loss in nats per letter, WER of the development words in
        percent), ``best`` (state dict of the epoch with the lowest such WER), and ``seconds`` of
        processor time (on a GPU: of the clock).
    """
    torch.manual_seed(seed)
    model = new_model(data, settings).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.lr, weight_decay=settings.weight_decay
    )
    pairs = data.encode(data.train)
    n_batches = len(batches_of_one_length(pairs, settings.batch_size))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=settings.epochs * n_batches
    )
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    done: dict[str, Any] = {"epochs": [], "best": {}, "seconds": 0.0}
    if checkpoint.exists():
        kept = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(kept["model"])
        optimizer.load_state_dict(kept["optimizer"])
        schedule.load_state_dict(kept["schedule"])
        done = kept["done"]
    for earlier in done["epochs"]:
        tell(earlier)
    for epoch in range(len(done["epochs"]), settings.epochs):
        began = clock()
        # Seeded by epoch, so that a run that was stopped draws what it would have drawn.
        torch.manual_seed(seed * 1_000 + epoch)
        loss = _epoch(model, pairs, settings, optimizer, schedule, device)
        dev = score(model, data, data.dev)
        if all(dev["WER"] < earlier["dev WER"] for earlier in done["epochs"]):
            done["best"] = {name: value.cpu().clone() for name, value in model.state_dict().items()}
        done["epochs"].append(
            {"epoch": epoch + 1, "loss": loss, "dev loss": dev["loss"], "dev WER": dev["WER"]}
        )
        done["seconds"] += clock() - began
        kept = {
            "model": model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "schedule": schedule.state_dict(),
            "done": done,
        }
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        half = checkpoint.with_suffix(".new")  # renamed when whole: a kill leaves the old one
        torch.save(kept, half)
        half.replace(checkpoint)
        tell(done["epochs"][-1])
    return done


def new_model(data: Spelling, settings: Settings) -> SequenceTagger:
    """The tagger that ``settings`` describe."""
    return SequenceTagger(
        len(LETTERS),
        len(data.tags),
        settings.hidden_size,
        bidirectional=True,
        embedding_dim=settings.embedding_dim,
        num_layers=settings.num_layers,
        dropout=settings.dropout,
    )


def _epoch(
    model: SequenceTagger,
    pairs: list[tuple[list[int], list[int]]],
    settings: Settings,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    device: torch.device,
) -> float:
    """Every word once, in batches drawn anew; the mean loss per letter, in nats."""
    shuffled = [pairs[i] for i in torch.randperm(len(pairs)).tolist()]
    batches = batches_of_one_length(shuffled, settings.batch_size, device)
    total, n = 0.0, 0
    model.train()
    for i in torch.randperm(len(batches)).tolist():
        ids, tags = batches[i]
        scores = model(ids).flatten(0, 1)
        loss = F.cross_entropy(
            scores,
            tags.flatten(),
            ignore_index=IGNORED,
            label_smoothing=settings.label_smoothing,
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        total, n = total + loss.item() * tags.numel(), n + tags.numel()
    return total / n


def run(settings: Settings, seed: int, device: torch.device, folder: Path) -> dict[str, Any]:
    """One seed from start to test score, kept as JSON; a second call reads it."""
    result = folder / f"{device.type}_{settings.name}_seed{seed}.json"
    if result.exists():
        kept: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        return kept
    data = load_spelling(settings.n_train)

    def tell(epoch: dict[str, Any]) -> None:
        numbers = ", ".join(f"{name} {value:.4g}" for name, value in epoch.items())
        click.echo(f"seed {seed} of {settings.epochs} epochs: {numbers}")

    done = train(data, settings, seed, device, result.with_suffix(".pt"), tell)
    model = new_model(data, settings).to(device)
    model.load_state_dict(done["best"])
    found = {
        "seed": seed,
        "settings": dataclasses.asdict(settings),
        "parameters": count_parameters(model),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else "CPU, one thread",
        "torch": torch.__version__.partition("+")[0],
        "minutes": done["seconds"] / 60,
        "epochs": done["epochs"],
        "test": score(model, data, data.test),
    }
    files.write_atomic(result, json.dumps(found, indent=1))
    result.with_suffix(".pt").unlink()
    return found


def table(runs: Sequence[dict[str, Any]], command: str) -> str:
    """A row per seed and their median, as Markdown, with the command that makes it."""
    columns = [name for name in runs[0]["test"] if name != "loss"]
    first = runs[0]
    chosen = [min(run["epochs"], key=lambda e: e["dev WER"]) for run in runs]
    rows = [
        [f"{run['seed']}", *(f"{run['test'][c]:.2f}" for c in columns), f"{dev['dev WER']:.2f}",
         f"{dev['epoch']} of {len(run['epochs'])}", f"{run['minutes']:.1f}"]
        for run, dev in zip(runs, chosen, strict=True)
    ]  # fmt: skip
    medians = [f"{statistics.median(run['test'][c] for run in runs):.2f}" for c in columns]
    rows.append(["median", *medians, "", "", ""])
    head = ["seed", *columns, "dev WER", "epoch chosen", "minutes"]
    return (
        f"{first['settings']['n_train']:,} training words, {first['parameters']:,} parameters, "
        f"{first['device']}, torch {first['torch']}; all scores in percent. "
        f"Made by `{command}`.\n\n{report.table(head, rows, left=0)}"
    )


def curve(runs: Sequence[dict[str, Any]]) -> plots.Picture:
    """Word error rate on the development words after each epoch, a line per seed."""
    curves = {
        f"seed {run['seed']}": (
            [epoch["epoch"] for epoch in run["epochs"]],
            [epoch["dev WER"] for epoch in run["epochs"]],
        )
        for run in runs
    }
    return plots.plot_curves(
        curves,
        xlabel="epoch",
        ylabel="development word error rate, %",
        alt="Word error rate on the development words falls with every epoch, alike in all seeds.",
    )


@click.command(context_settings={"show_default": True})
@click.option("--preset", type=click.Choice([*PRESETS]), default="cpu", help="Size and length.")
@click.option("--seeds", default="0,1,2", help="Which seeds, separated by commas.")
@click.option("--try", "trying", is_flag=True, help="Compare settings on the development words.")
@click.option(
    "--out", type=click.Path(path_type=Path), default=report.RESULTS, help="Folder of results."
)
def main(preset: str, seeds: str, trying: bool, out: Path) -> None:
    """Train the full-size speller; stop it and start it again as you like."""
    setup()
    device = pick_device()
    if trying:
        try_settings(device, out)
        return
    name, runs = f"spelling_full_{device.type}", []
    for seed in seeds.split(","):
        runs.append(run(PRESETS[preset], int(seed), device, out / "runs"))
        text = table(runs, f"python benchmarks/spelling_full.py --preset {preset}")
        files.write_atomic(out / f"{name}.md", text)
        (out / f"{name}.png").write_bytes(curve(runs).png)
        click.echo(text)


def try_settings(device: torch.device, out: Path) -> None:
    """Change one thing at a time, with 20,000 words, one seed, and the development words only."""
    base = Settings(n_train=20_000, hidden_size=128, dropout=0.3)
    rows = []
    for name, changes in {"nothing": {}, **TRIALS}.items():
        settings = dataclasses.replace(base, **changes)
        data = load_spelling(settings.n_train)
        kept = out / "runs" / f"try_{device.type}_{settings.name}.pt"
        done = train(data, settings, 0, device, kept)
        last = done["epochs"][-1]
        minutes = done["seconds"] / 60
        rows.append([name, f"{last['dev WER']:.2f}", f"{last['dev loss']:.4f}", f"{minutes:.1f}"])
        click.echo(" ".join(rows[-1]))
    table = report.table(("changed", "dev WER", "dev loss", "minutes"), rows)
    files.write_atomic(out / "spelling_tried.md", TRIED + table)


if __name__ == "__main__":
    main()
