"""What the benchmarks share: ratios with their goals, tables, plots, and where they are kept.

A result is a page ``results/NAME.md`` with ``NAME.png`` beside it. It begins with the machine and
the ratios, which ``summary.py`` collects from all pages. No date is written: the versions say what
was measured, and a second run on the same machine can be compared line by line.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from birnn_course import files

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULTS = Path(__file__).parent / "results"
KEY = ("compared", "ratio", "goal")
"""Head of the table of ratios, by which a page is known as one to be summed up."""


@dataclass(frozen=True)
class Ratio:
    """One number that a reader takes away, and what it should be.

    Parameters
    ----------
    compared : str
        What is divided by what, with its unit if it is no plain ratio.
    value : float
    least, most : float, optional
        The goal; at most one of them.
    """

    compared: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def held(self) -> bool:
        """Whether the goal is reached; True without one, False for nan."""
        if self.least is not None:
            return self.value >= self.least
        return self.most is None or self.value <= self.most

    def cells(self) -> tuple[str, str, str]:
        """A row under :data:`KEY`."""
        if self.least is None and self.most is None:
            return self.compared, _number(self.value), ""
        goal = f"≥ {self.least:g}" if self.least is not None else f"≤ {self.most:g}"
        return self.compared, _number(self.value), goal + ("" if self.held else ", **missed**")


def _number(value: float) -> str:
    """Two decimals, three where it is small, an exponent where these would show nothing."""
    if value and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.2f}" if value == 0 or abs(value) >= 0.1 else f"{value:.3f}"


def paired(of: Sequence[float], to: Sequence[float]) -> float:
    """The median of ``of[i] / to[i]``: what slows a whole round slows both sides of it."""
    return statistics.median(a / b for a, b in zip(of, to, strict=True))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Markdown, the first ``left`` columns aligned to the left and all others to the right."""
    lines = [head, ["---"] * left + ["---:"] * (len(head) - left), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def machine(device: torch.device | None = None) -> str:
    """Processor, cores, Python and torch, and the GPU if ``device`` is one."""
    parts = [
        processor(),
        f"{os.cpu_count()} cores",
        f"Python {platform.python_version()}",
        f"torch {torch.__version__.partition('+')[0]}",
    ]
    if device is not None and device.type == "cuda":
        parts.insert(0, torch.cuda.get_device_name(device))
    return ", ".join(parts)


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Its model, as the system names it."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def page(title: str, about: str, ratios: Iterable[Ratio], body: str, where: str) -> str:
    """A whole result in Markdown; ``about`` says what was compared, ``where`` is the machine."""
    key = table(KEY, (ratio.cells() for ratio in ratios))
    return f"# {title}\n\n{where}\n\n{key}\n{about}\n\n{body}"


def keep(name: str, text: str, figure: Figure, folder: Path) -> None:
    """Print a page; store it, and the plot that it shows beside it."""
    print(text)
    folder.mkdir(parents=True, exist_ok=True)
    title = text.splitlines()[0].removeprefix("# ")
    files.write_atomic(folder / f"{name}.md", f"{text}\n![{title}]({name}.png)\n")
    figure.savefig(folder / f"{name}.png", dpi=110)


def options(description: str | None, rounds: int | None = None) -> argparse.ArgumentParser:
    """The options of every benchmark: where to store, and how often to measure, if at will."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of results")
    if rounds is not None:
        parser.add_argument("--rounds", type=int, default=rounds, help=f"how often ({rounds})")
    return parser


def new_figure(width: float, height: float) -> Figure:
    """A figure that needs no window."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def bars(axes: Axes, values: Mapping[str, float], unit: str, shown: str = "{:.3g}") -> None:
    """Lying bars, the first on top, each with its number."""
    drawn = axes.barh(list(values), list(values.values()))
    axes.bar_label(drawn, labels=[shown.format(value) for value in values.values()], padding=3)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_xlabel(unit)
    axes.spines[["top", "right"]].set_visible(False)
