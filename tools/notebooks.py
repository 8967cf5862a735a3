"""Run notebooks and store them as the repository keeps them (``make notebooks [N=01]``).

``N`` is a unit's number or a notebook's name: ``N=01`` runs the lesson and its exercises,
``N=01_bidirectional`` the lesson alone, ``N=01_bidirectional_exercises`` the exercises alone.

The learner's copy of an exercise notebook is made from its master in ``solutions/`` on the way. A
lesson's cell that does not say whether it is on a slide is marked as one for readers.

A stored notebook was executed in order in a fresh kernel and holds nothing that differs from one
run or machine to the next, apart from the outputs of cells that say so. So a second run changes
nothing, and a difference in a review is a difference in meaning.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
import psutil
from nbclient import NotebookClient

from birnn_course.course import UNITS
from birnn_course.grading.learner_copies import learner_copy

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS, SOLUTIONS = ROOT / "notebooks", ROOT / "solutions"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
TIMEOUT = 180  # seconds a cell may take on a slow machine

Notebook = Any


@dataclass
class Cost:
    """What one cell took.

    Parameters
    ----------
    source : str
    cpu_seconds : float
        Of the processor, which a busy machine leaves alone.
    """

    source: str
    cpu_seconds: float


def stored(name: str = "", folder: Path = ROOT) -> list[Path]:
    """The repository's notebooks; only those of a unit, or of one name, if ``name`` says which."""
    wanted = Path(name).name.removesuffix(".ipynb")
    return sorted(
        path
        for kind in ("notebooks", "solutions")
        for path in folder.glob(f"{kind}/*.ipynb")
        if wanted in ("", path.stem, path.stem.partition("_")[0])
    )


def execute(notebook: Notebook, folder: Path) -> tuple[Notebook, list[Cost]]:
    """A copy of ``notebook``, run top to bottom in a fresh kernel with no record and no cache."""
    notebook = nbformat.from_dict(notebook)
    costs: list[Cost] = []
    used = {"before": 0.0}

    def cpu_seconds() -> float:
        times = psutil.Process(client.km.provisioner.pid).cpu_times()
        return float(times.user + times.system)

    def start(cell: Notebook, cell_index: int) -> None:
        used["before"] = cpu_seconds()

    def end(cell: Notebook, cell_index: int, execute_reply: Any) -> None:
        costs.append(Cost(cell.source, cpu_seconds() - used["before"]))

    client = NotebookClient(
        notebook,
        timeout=TIMEOUT,
        kernel_name="python3",
        coalesce_streams=True,  # how prints are cut into messages is chance
        extra_arguments=["--IPKernelApp.log_level=ERROR"],  # no warning of transports on each start
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=start,
        on_cell_executed=end,
    )
    with (
        tempfile.TemporaryDirectory() as home,
        mock.patch.dict(os.environ, {"BIRNN_HOME": home, "PYDEVD_DISABLE_FILE_VALIDATION": "1"}),
    ):
        client.execute()
    return notebook, costs


def leave_to_readers(notebook: Notebook) -> Notebook:
    """Keep cells that say nothing about slides off them, in place: the lecture stays as it was.

    Other tools would show such cells; ``""`` is what JupyterLab leaves when a choice is undone.
    """
    for cell in notebook.cells:
        slideshow = cell.metadata.setdefault("slideshow", nbformat.from_dict({}))
        slideshow["slide_type"] = slideshow.get("slide_type") or "skip"
    return notebook


def normalise(notebook: Notebook) -> Notebook:
    """Drop what differs between machines and runs, in place: versions, times, widget state."""
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {
                "display_name": "Python 3 (ipykernel)",
                "language": "python",
                "name": "python3",
            },
            "language_info": {"name": "python"},
        }
    )
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if "outputs" in cell:
            # Without its model, which is never stored, a widget's view only says that it is
            # missing; the text and HTML before it can be read everywhere.
            for output in cell.outputs:
                output.get("data", {}).pop(WIDGET_VIEW, None)
            cell.outputs = [output for output in cell.outputs if output.get("data", True)]
    return notebook


def refresh(path: Path, source: Notebook) -> str:
    """Run ``source``, store it at ``path`` if that changes anything, and say what it cost."""
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    notebook, costs = execute(source, path.parent)
    after = text(normalise(notebook))
    if after != before:
        path.write_text(after, encoding="utf-8", newline="\n")
    slowest = max(costs, key=lambda cost: cost.cpu_seconds)
    return (
        f"{path.relative_to(ROOT)}: {'written' if after != before else 'unchanged'}, "
        f"{sum(cost.cpu_seconds for cost in costs):.0f} CPU s, "
        f"slowest cell {slowest.cpu_seconds:.0f} CPU s"
    )


def text(notebook: Notebook) -> str:
    """``notebook`` as the file holds it."""
    return str(nbformat.writes(notebook, version=4)) + "\n"


def main(arguments: list[str]) -> int:
    """Run and store the notebooks that ``arguments`` name, by unit or by name, or all."""
    paths = {path for name in arguments or [""] for path in stored(name)}
    masters = sorted(path for path in paths if path.parent.name == "solutions")
    copies = {NOTEBOOKS / master.name: master for master in masters}
    if not paths:
        print(f"No unit or notebook is called {' or '.join(arguments)}; see notebooks/.")
        return 1
    lessons = {name for unit in UNITS for name in unit.lessons}
    # A learner's copy is never edited: it comes from its master.
    for path in sorted(paths | set(copies)):
        source = nbformat.read(copies.get(path, path), as_version=4)
        if path.name in lessons:
            leave_to_readers(source)
        print(refresh(path, learner_copy(source) if path in copies else source))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
