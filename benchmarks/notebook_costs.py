"""What the notebooks cost under strict nbval, beside a notebook that only imports.

``make bench-notebooks`` runs all notebooks once, one after the other, with the options that
``make nbval`` has, and fails if one of them differs from what is stored. Of each kernel are counted

- *seconds*: by the clock, from before it starts until its last cell is compared;
- *CPU seconds*: of the processor, from its start on; those of pytest are not counted;
- *training*: CPU seconds between the making of an optimizer and its last step within a cell
  (``training_watch.py``), whoever makes them;
- the slowest cell, and the most memory that it ever held.

The *floor* is the same for a notebook of one cell that imports torch and matplotlib, as every
notebook must: the middle one of nine that run among the others, because a machine is not equally
fast all the time. What is promised: all notebooks together, without training,
cost at most 2.5 times as many floors as there are notebooks.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import report
from nbformat.v4 import new_code_cell, new_notebook

from notebooks import ROOT, stored

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FLOOR = "import matplotlib.pyplot\nimport torch"
GOAL = 2.5


@dataclass(frozen=True)
class Cell:
    """One code cell: processor seconds in all, and of these training."""

    source: str
    cpu: float
    training: float


@dataclass(frozen=True)
class Measured:
    """What one notebook took: seconds, and bytes of memory at most."""

    name: str
    seconds: float
    cpu: float
    memory: int
    cells: tuple[Cell, ...]

    @property
    def training(self) -> float:
        """Processor seconds."""
        return sum(cell.training for cell in self.cells)

    @property
    def rest(self) -> float:
        """Processor seconds without training: the start, reading, computing, drawing."""
        return self.cpu - self.training

    @property
    def slowest(self) -> Cell:
        """The cell that takes the processor longest."""
        return max(self.cells, key=lambda cell: cell.cpu)


def measure(paths: Sequence[Path], nbval: Sequence[str]) -> list[Measured]:
    """Compare notebooks with fresh runs; ``nbval`` are the options of pytest for that."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "costs.json")
        here = str(Path(__file__).parent)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "nbval_costs", *nbval, *map(str, paths)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": here, "NBVAL_COSTS": str(log)},
            check=False,
        )
        if done.returncode:
            raise SystemExit("a notebook differs from what is stored, so nothing was measured")
        found = json.loads(log.read_text(encoding="utf-8"))
    return [_measured(path, found[str(path)]) for path in paths]


def _measured(path: Path, found: dict[str, Any]) -> Measured:
    cells, so_far = [], found["before"][0]
    for source, cpu, training, _ in found["cells"]:
        cells.append(Cell(source, cpu - so_far, training))
        so_far = cpu
    name = f"{path.parent.name}/{path.stem}"
    return Measured(name, found["seconds"], so_far, found["cells"][-1][-1], tuple(cells))


def write_floor(folder: Path) -> list[Path]:
    """Nine notebooks that only import."""
    paths = [folder / f"floor{i}.ipynb" for i in range(9)]
    for path in paths:
        nbformat.write(new_notebook(cells=[new_code_cell(FLOOR)]), path)
    return paths


def spread(floors: Sequence[Path], paths: Sequence[Path]) -> list[Path]:
    """All of both, each in its order, the floors evenly between the others."""
    placed = [((i + 0.5) / len(floors), path) for i, path in enumerate(floors)]
    placed += [(i / len(paths), path) for i, path in enumerate(paths)]
    return [path for _, path in sorted(placed)]


def rest_in_floors(floor: Measured, found: Sequence[Measured]) -> float:
    """All notebooks without training, in the floors that as many empty notebooks would cost."""
    return sum(one.rest for one in found) / (len(found) * floor.cpu)


def ratios(floor: Measured, found: Sequence[Measured]) -> list[report.Ratio]:
    """The promise first."""
    most = max(found, key=lambda one: one.rest)
    return [
        report.Ratio(
            "CPU seconds of all notebooks without training / as many floors",
            rest_in_floors(floor, found),
            most=GOAL,
        ),
        report.Ratio(
            "the same with training", sum(one.cpu for one in found) / (len(found) * floor.cpu)
        ),
        report.Ratio(
            f"the notebook that costs most without training (`{most.name}`) / floor",
            most.rest / floor.cpu,
        ),
    ]


def table(floor: Measured, found: Sequence[Measured]) -> str:
    """A row per notebook, and their sum."""
    head = (
        "notebook", "seconds", "CPU seconds", "of these training", "without training / floor",
        "slowest cell, CPU s", "most memory, MB",
    )  # fmt: skip
    rows = [
        (
            one.name, f"{one.seconds:.1f}", f"{one.cpu:.1f}", f"{one.training:.1f}",
            f"{one.rest / floor.cpu:.2f}", f"{one.slowest.cpu:.1f}", f"{one.memory / 2**20:.0f}",
        )
        for one in (floor, *found)
    ]  # fmt: skip
    sums = [
        sum(each) for each in zip(*((m.seconds, m.cpu, m.training) for m in found), strict=True)
    ]
    rows.append((f"all {len(found)}", *(f"{value:.0f}" for value in sums), "", "", ""))
    return report.table(head, rows)


def plot(floor: Measured, found: Sequence[Measured]) -> Figure:
    """Bars of what each notebook takes."""
    figure = report.new_figure(9, 0.3 * len(found) + 1.2)
    axes = figure.subplots()
    names = [one.name for one in found]
    rest = [one.rest for one in found]
    axes.barh(names, rest, label="start, reading, computing, drawing")
    axes.barh(names, [one.training for one in found], left=rest, label="training", hatch="//")
    axes.axvline(floor.cpu, color="black", linestyle="--", label="floor")
    axes.invert_yaxis()
    axes.margins(y=0.02)
    axes.set_xlabel("CPU seconds")
    axes.legend()
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store; what is no option of ours goes to pytest."""
    parser = report.options(__doc__)
    parser.add_argument("--only", default="", metavar="N", help="one unit or notebook")
    chosen, nbval = parser.parse_known_args(arguments)
    paths = stored(chosen.only)
    with tempfile.TemporaryDirectory() as folder:
        floors = write_floor(Path(folder))
        order = spread(floors, paths)
        measured = measure(order, nbval or ["--nbval", "--nbval-current-env"])
    costs = dict(zip(order, measured, strict=True))
    empty = sorted((costs[path] for path in floors), key=lambda one: one.cpu)[len(floors) // 2]
    floor, found = replace(empty, name="floor"), [costs[path] for path in paths]
    about = "What is counted stands in `benchmarks/notebook_costs.py`."
    text = report.page(
        "Notebooks: what they cost",
        about,
        ratios(floor, found),
        table(floor, found),
        report.machine(),
    )
    report.keep("notebooks", text, plot(floor, found), chosen.out)


if __name__ == "__main__":
    main()
