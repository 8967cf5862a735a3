"""The files around the code say the same things as the code."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from birnn_course import __version__
from birnn_course.course import UNITS, Unit

from tables import heads_without_names

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


USED = ("grade", "slides", "site", "test")  # the extras that the oldest versions are tested with


def constraints(name: str = "constraints.txt") -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").split()
    return {canonicalize_name(name): pin for name, pin in (line.split("==") for line in lines)}


def at_hand() -> tuple[dict[str, str], set[str]]:
    """The constraints that this environment was made with, and the extras that it has."""
    oldest = constraints("constraints-oldest.txt")
    if version("torch").partition("+")[0] == oldest["torch"]:
        return oldest, set(USED)
    return constraints(), {*USED, "dev"}


def needed(extras: set[str]) -> set[str]:
    """All packages that an installation with these extras needs, from what is installed here."""
    found: set[str] = set()
    todo = [("birnn-course", frozenset(extras))]
    while todo:
        name, wanted = todo.pop()
        for text in requires(name) or ():
            requirement = Requirement(text)
            environments = [{"extra": extra} for extra in ("", *wanted)]
            if requirement.marker and not any(map(requirement.marker.evaluate, environments)):
                continue
            child = canonicalize_name(requirement.name)
            if child not in found:
                found.add(child)
                todo.append((child, frozenset(requirement.extras)))
    return found


def test_every_package_is_constrained_to_a_version_anyone_can_install() -> None:
    pins, extras = at_hand()
    assert needed(extras) - set(pins) == set()
    assert not [pin for pin in pins.values() if not re.fullmatch(r"\d+(\.\w+)*", pin)]


def test_what_is_installed_is_what_is_constrained() -> None:
    pins, extras = at_hand()
    installed = needed(extras)
    different = {
        name: (version(name), pin)
        for name, pin in pins.items()
        if name in installed and version(name).partition("+")[0] != pin
    }
    assert different == {}


def test_the_ranges_admit_the_constrained_versions() -> None:
    pins = constraints()
    for text in requires("birnn-course") or ():
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), text


def not_the_oldest(project: dict[str, Any], pins: dict[str, str]) -> list[str]:
    """The requirements whose lower bound is not the version that the oldest are tested with."""
    texts = [*project["dependencies"]]
    for extra in USED:
        texts += project["optional-dependencies"][extra]
    return [text for text in texts if lower_bounds(text) != [pinned(text, pins)]]


def lower_bounds(text: str) -> list[Version]:
    return [Version(at.version) for at in Requirement(text).specifier if at.operator == ">="]


def pinned(text: str, pins: dict[str, str]) -> Version:
    return Version(pins[canonicalize_name(Requirement(text).name)])


def test_the_oldest_versions_that_are_allowed_are_those_that_are_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = constraints("constraints-oldest.txt")
    assert not_the_oldest(project, pins) == []
    assert not_the_oldest(project, pins | {"torch": "2.8.1"}) == ["torch>=2.8,<3"]
    for wrong in ("jinja2>=3,<4", "jinja2<4"):
        project["optional-dependencies"]["grade"][0] = wrong
        assert not_the_oldest(project, pins) == [wrong]


def environment_problems(environment: dict[str, object]) -> list[str]:
    """What would make conda's environment another than everybody's."""
    names = environment["dependencies"]
    assert isinstance(names, list)
    python = [name for name in names if isinstance(name, str) and name.startswith("python=")]
    problems = [] if python == ["python=3.11"] else [f"python is {python}"]
    from_conda = [n for n in names if isinstance(n, str) and n not in (*python, "pip")]
    problems += [f"{name} comes from conda" for name in from_conda]
    pip = [name for name in names if isinstance(name, dict)]
    if pip != [{"pip": ["-c constraints.txt", "-e .[grade,test]"]}]:
        problems.append(f"pip installs {pip}")
    return problems


def test_conda_users_get_the_same_packages() -> None:
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert environment_problems(yaml.safe_load(text)) == []
    for wrong in (
        text.replace("  - pip\n", "  - pip\n  - pytorch\n"),
        text.replace("-c constraints.txt", "numpy"),
        text.replace("python=3.11", "python=3.9"),
    ):
        assert environment_problems(yaml.safe_load(wrong))


def test_make_installs_with_the_constraints() -> None:
    assert "pip install --quiet -c constraints.txt" in MAKEFILE
    installs = [line for line in MAKEFILE.splitlines() if "pip install" in line]
    # the others make constraints.txt, and the environment with the oldest versions
    assert len(installs) == 3


def test_make_help_lists_every_target() -> None:
    shown = subprocess.run(
        ["make", "-C", str(ROOT), "--no-print-directory", "help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert [line.split()[1] for line in shown.splitlines()] == phony.split()


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__ == version("birnn-course")
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_readme_starts_the_learner() -> None:
    screen = README[:2600]
    for text in ("make lab", "make test", "conda env create", "pip install", "docs/", "3.11"):
        assert text in screen, text
    assert UNITS[0].lesson in screen


def takes(unit: Unit) -> str:
    low, high = unit.minutes
    return f"{low}" if low == high else f"{low}–{high}"


def test_the_readme_lists_the_units_of_the_course() -> None:
    for unit in UNITS:
        assert f"| {unit.number} | {unit.title} | {takes(unit)} |" in README


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_what_the_documents_link_to_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []
    assert all(alt.strip() for alt in re.findall(r"!\[([^\]]*)\]", text))


def test_each_column_of_a_table_has_a_name() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "benchmarks").rglob("*.md")]
    assert {ROOT / "README.md", ROOT / "benchmarks" / "results" / "README.md"} < {*documents}
    found = {path: heads_without_names(path.read_text(encoding="utf-8")) for path in documents}
    assert {path: heads for path, heads in found.items() if heads} == {}
    planted = README.replace("| unit |", "| |")
    assert planted != README and heads_without_names(planted)


def test_the_project_asks_for_a_python_that_make_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == ">=3.11"
    assert "sys.version_info < (3, 11)" in MAKEFILE


def test_no_file_is_executable_but_the_one_that_is_run() -> None:
    listing = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--stage"], capture_output=True, text=True, check=True
    ).stdout
    executable = [line.split("\t")[1] for line in listing.splitlines() if line.startswith("100755")]
    assert executable in ([".ci/run"], [])
