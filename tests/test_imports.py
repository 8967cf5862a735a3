"""``import birnn_course`` is cheap, and imports point downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import birnn_course

PACKAGE = Path(birnn_course.__file__).parent
HEAVY = (
    "matplotlib",
    "IPython",
    "ipywidgets",
    "anywidget",
    "sklearn",
    "scipy",
    "yaml",
    "pandas",
    "sktime",
    "Stemmer",
)
# A module may import those of its own level's number or lower ones, never a higher one.
LEVELS = {
    "errors": 0, "files": 0, "course": 0, "seeding": 0, "parity": 0,
    "device": 1, "data": 1, "plots": 1, "probes": 1, "models": 1, "metrics": 1, "word_errors": 1,
    "snippets": 1, "misconceptions": 1, "progress": 1, "beliefs": 1, "widgets": 1,
    "training": 2, "explore": 2, "workspace": 2, "doctor": 2, "lab": 2,
    "questions": 2, "exercises": 3, "explain": 2, "auditing": 2,
    "inventory": 3, "project": 3, "review": 3, "summary": 3,
    "mixed": 4,
    "plain": 1, "calling": 2, "sandbox": 3, "grading": 4, "slides": 4,
    "cli": 5,
}  # fmt: skip


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_importing_the_course_loads_nothing_heavy() -> None:
    assert run(f"import sys, birnn_course; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_the_check_above_can_fail() -> None:
    code = f"import sys, birnn_course, matplotlib; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "['matplotlib']"


@pytest.mark.timing
def test_importing_the_course_adds_little_to_torch() -> None:
    seconds = run(
        "import time, torch; start = time.process_time()\n"
        "import birnn_course; print(time.process_time() - start)"
    )
    assert float(seconds) < 0.3


def test_every_name_that_is_offered_is_there() -> None:
    offered = birnn_course.__all__
    assert len(offered) > 10
    assert all(getattr(birnn_course, name) is not None for name in offered)


def test_no_module_has_the_name_of_an_offered_function() -> None:
    modules = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not modules & set(birnn_course.__all__)


def imports(source: str) -> set[str]:
    """Top-level modules of the course that a source imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("birnn_course"):
            parts = (node.module or "").split(".")
            found |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return found


def wrong_way(name: str, source: str) -> list[str]:
    return [other for other in imports(source) if LEVELS.get(other, 0) > LEVELS[name]]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_point_downwards(path: Path) -> None:
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if name != "__init__":
        assert wrong_way(name, path.read_text(encoding="utf-8")) == []


def test_an_import_that_points_upwards_is_found() -> None:
    assert wrong_way("data", "from birnn_course.training import fit") == ["training"]
    assert wrong_way("models", "def f():\n    from birnn_course import cli") == ["cli"]
