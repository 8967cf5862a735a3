"""What each notebook costs beside a notebook that only imports: ``make bench-notebooks``.

The floor is a kernel that starts and imports torch and matplotlib, as every notebook must. Seconds
of the processor are those of the kernel, from its start; seconds by the clock include starting and
stopping it. *Training* is what the cells take that call ``fit``; the rest is what reading,
computing and drawing cost.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from notebooks import NOTEBOOKS, Cost, Notebook, execute, stored

RESULTS = Path(__file__).parent / "results"
FLOOR = "import matplotlib.pyplot\nimport torch"


@dataclass(frozen=True)
class Measured:
    """What one notebook took."""

    name: str
    seconds: float
    costs: list[Cost]

    @property
    def cpu_seconds(self) -> float:
        """Of the whole kernel."""
        return self.costs[-1].cpu_so_far

    @property
    def training(self) -> float:
        """Processor seconds of the cells that train."""
        return sum(cost.cpu_seconds for cost in self.costs if "fit(" in cost.source)

    @property
    def slowest(self) -> float:
        """Processor seconds of the slowest cell."""
        return max(cost.cpu_seconds for cost in self.costs)

    @property
    def most_memory(self) -> float:
        """Megabytes."""
        return self.costs[-1].most_memory / 2**20


def measure(name: str, notebook: Notebook, folder: Path) -> Measured:
    """Run one notebook in a fresh kernel."""
    start = time.perf_counter()
    _, costs = execute(notebook, folder)
    return Measured(name, time.perf_counter() - start, costs)


def floor() -> Measured:
    """The middle one of five."""
    empty = new_notebook(cells=[new_code_cell(FLOOR)])
    found = [measure("floor", empty, NOTEBOOKS) for _ in range(5)]
    return sorted(found, key=lambda measured: measured.cpu_seconds)[2]


def table(lowest: Measured, found: Sequence[Measured]) -> str:
    """All of it in Markdown."""
    lines = [
        "| notebook | seconds | CPU seconds | of these training | times the floor "
        "| without training | slowest cell, CPU s | most memory, MB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in (lowest, *found):
        rest = one.cpu_seconds - one.training
        lines.append(
            f"| {one.name} | {one.seconds:.1f} | {one.cpu_seconds:.1f} | {one.training:.1f} | "
            f"{one.cpu_seconds / lowest.cpu_seconds:.1f} | {rest / lowest.cpu_seconds:.1f} | "
            f"{one.slowest:.1f} | {one.most_memory:.0f} |"
        )
    total = sum(one.cpu_seconds for one in found)
    training = sum(one.training for one in found)
    ratio = (total - training) / (len(found) * lowest.cpu_seconds)
    lines += [
        "",
        f"All {len(found)} notebooks: {total:.0f} CPU seconds, {training:.0f} of them training. "
        f"Without training {ratio:.2f} times the floor.",
    ]
    return "\n".join(lines) + "\n"


def plot(lowest: Measured, found: Sequence[Measured], file: Path) -> None:
    """Bars of what each notebook takes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 0.32 * len(found) + 1), layout="constrained")
    axes = figure.subplots()
    names = [one.name for one in found]
    rest = [one.cpu_seconds - one.training for one in found]
    axes.barh(names, rest, label="reading, computing, drawing")
    axes.barh(names, [one.training for one in found], left=rest, label="training", hatch="//")
    axes.axvline(lowest.cpu_seconds, color="black", linestyle="--", label="floor")
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds")
    axes.legend()
    figure.savefig(file, dpi=110)


def main() -> None:
    """Print the table, and keep it with a plot."""
    lowest = floor()
    found = []
    for path in stored():
        notebook = nbformat.read(path, as_version=4)
        found.append(measure(f"{path.parent.name}/{path.stem}", notebook, path.parent))
        print(f"{found[-1].name}: {found[-1].cpu_seconds:.1f} CPU s", flush=True)
    text = f"# What the notebooks cost\n\n{table(lowest, found)}"
    print(text)
    print(f"median: {statistics.median(one.cpu_seconds for one in found):.1f} CPU s")
    (RESULTS / "notebooks.md").write_text(text, encoding="utf-8")
    plot(lowest, found, RESULTS / "notebooks.png")


if __name__ == "__main__":
    main()
