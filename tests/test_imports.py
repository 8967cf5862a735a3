"""``import birnn_course`` is cheap, and imports point downwards only."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from counted import imported

import birnn_course
from birnn_course.sandbox import ANSWERS

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
# The rooms of the package from the ground up. Each imports from those before it only, so there can
# be no circle among them; within a room the modules have none either.
ROOMS = (
    "errors", "seeding", "files", "course", "descriptor", "word_errors", "data", "metrics",
    "models", "probes", "draw", "plots", "training", "device", "widgets",
    "misconceptions", "findings", "explore",
    "running", "record", "explain", "auditing",
    "questions", "exercises", "learner", "live", "project",
    "sandbox", "grading", "slides", "site", "app", "cli",
)  # fmt: skip
# What each side of the sandbox must not import: the other side, and what knows an answer.
CLOSED = {
    "sandbox": ANSWERS,
    "sandbox.inside": ("sandbox.outside",),
    "sandbox.outside": ("sandbox.inside",),
    "sandbox.wire": ("sandbox.inside", "sandbox.outside"),
    "grading": ("sandbox.inside", "sandbox.wire"),
}


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_importing_the_course_loads_nothing_heavy() -> None:
    assert run(f"import sys, birnn_course; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


def test_the_check_above_can_fail() -> None:
    code = f"import sys, birnn_course, matplotlib; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "['matplotlib']"


def test_importing_the_course_adds_little_to_torch() -> None:
    loaded = imported("import birnn_course", before="import torch")
    assert loaded == {"birnn_course", "lazy_loader"}
    assert "click" in imported("import birnn_course, click", before="import torch")


def test_every_name_that_is_offered_is_there() -> None:
    offered = birnn_course.__all__
    assert len(offered) > 10
    assert all(getattr(birnn_course, name) is not None for name in offered)


def test_no_module_has_the_name_of_an_offered_function() -> None:
    modules = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not modules & set(birnn_course.__all__)


Imports = dict[str, set[str]]
"""The modules of the course by their dotted names, each with those that it imports, anywhere."""


def read_imports(folder: Path) -> Imports:
    """What the modules of a package import from each other."""
    sources = {
        ".".join((folder.name, *path.relative_to(folder).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path.read_text(encoding="utf-8")
        for path in folder.rglob("*.py")
    }
    return {
        name: set(_imported(source, sources.keys())) - {name} for name, source in sources.items()
    }


def _imported(source: str, known: Collection[str]) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else node.module


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def upward(imports: Imports) -> list[str]:
    """Each import from a room into one that stands above it."""
    return [
        f"{module} imports {other}"
        for module, others in sorted(imports.items())
        for other in sorted(others)
        if room(module) and room(other) and ROOMS.index(room(other)) > ROOMS.index(room(module))
    ]


def circles(imports: Imports) -> list[str]:
    """One of the modules that cannot be ordered, if there are any."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [" imports ".join(reversed(error.args[1]))]
    return []


def across(imports: Imports) -> list[str]:
    """Each import from one side of the sandbox into what is closed to it."""
    return [
        f"{module} imports {other}"
        for module, others in sorted(imports.items())
        for other in sorted(others)
        if any(
            _is_in(module, side) and any(_is_in(other, place) for place in closed)
            for side, closed in CLOSED.items()
        )
    ]


def _is_in(module: str, place: str) -> bool:
    return f"{module}.".startswith(f"birnn_course.{place}.")


IMPORTS = read_imports(PACKAGE)


def test_the_package_has_these_rooms_and_few() -> None:
    found = {room(module) for module in IMPORTS} - {""}
    assert sorted(found) == sorted(ROOMS)
    assert len(ROOMS) <= 33


def test_imports_point_downwards_and_never_in_circles() -> None:
    assert upward(IMPORTS) == []
    assert circles(IMPORTS) == []


def test_the_sides_of_the_sandbox_are_apart_and_know_no_answer() -> None:
    assert across(IMPORTS) == []


@pytest.fixture
def planted(tmp_path: Path) -> Callable[..., Imports]:
    """Writes modules of a package of its own, and reads what all of it imports."""

    def plant(**sources: str) -> Imports:
        for name, source in sources.items():
            path = tmp_path / "birnn_course" / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source, encoding="utf-8")
        return read_imports(tmp_path / "birnn_course")

    return plant


def test_what_points_upwards_or_in_circles_is_found(planted: Callable[..., Imports]) -> None:
    imports = planted(data="from birnn_course.training import fit", training="", models="")
    assert upward(imports) == ["birnn_course.data imports birnn_course.training"]
    assert circles(imports) == []
    imports = planted(__init__="", models="def late():\n    from birnn_course import training")
    assert upward(imports)[1:] == ["birnn_course.models imports birnn_course.training"]
    imports = planted(training="import birnn_course.models", data="")
    assert "birnn_course.training" in circles(imports)[0]


def test_what_reaches_across_the_sandbox_is_found(planted: Callable[..., Imports]) -> None:
    rooms = ("sandbox", "sandbox/inside", "sandbox/outside", "grading", "exercises")
    apart = {f"{room}/__init__": "" for room in rooms} | {
        "sandbox/wire": "",
        "sandbox/inside/host": "from birnn_course.sandbox import wire",
        "sandbox/outside/pool": "from birnn_course.sandbox import wire",
        "grading/marks": "from birnn_course.sandbox.outside import pool",
    }
    assert across(planted(**apart)) == []
    for name, source, found in (
        ("sandbox/inside/host", "from birnn_course.sandbox.outside import pool", "outside.pool"),
        ("sandbox/inside/host", "from birnn_course.grading.marks import Mark", "grading.marks"),
        ("sandbox/outside/pool", "import birnn_course.sandbox.inside.host", "inside.host"),
        ("sandbox/outside/pool", "from birnn_course.exercises import check", "exercises"),
        ("sandbox/wire", "def f():\n    import birnn_course.sandbox.outside.pool", "outside.pool"),
        ("grading/marks", "from birnn_course.sandbox.inside import host", "inside.host"),
    ):
        [sentence] = across(planted(**apart | {name: source}))
        assert sentence.startswith(f"birnn_course.{name.replace('/', '.')} imports")
        assert sentence.endswith(f".{found}")


CEILING = 31_300  # 22,700 before grading withstood the second attack, lessons drawn, pages made


def lines_of(folder: Path) -> int:
    """Lines of Python."""
    return sum(len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py"))


def test_the_package_stays_below_its_ceiling(tmp_path: Path) -> None:
    assert 20_000 < lines_of(PACKAGE) <= CEILING
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "long.py").write_text("x = 1\n" * (CEILING + 1))
    assert lines_of(tmp_path) > CEILING
