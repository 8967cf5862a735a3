"""Binder, Colab and JupyterHub cannot be run here; what they are told can be read."""

from __future__ import annotations

import re
import shlex
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from birnn_course.course import UNITS

ROOT = Path(__file__).resolve().parent.parent
RUNTIME = (ROOT / ".binder/runtime.txt").read_text(encoding="utf-8")
POST_BUILD = (ROOT / ".binder/postBuild").read_text(encoding="utf-8")
GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LINKS = re.findall(r"(?m)^https://\S+$", GUIDE)


def binder_problems(runtime: str, post_build: str) -> list[str]:
    """What would make Binder's environment another than everybody's."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    conda = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    python = runtime.strip().replace("python-", "python=")
    problems = [] if python in conda else [f"conda's Python is not {python}"]
    if not SpecifierSet(project["requires-python"]).contains(python.partition("=")[2]):
        problems.append(f"the course does not run on {python}")
    if subprocess.run(["bash", "-n"], input=post_build, text=True, check=False).returncode:
        problems.append("postBuild is no script")
    if not post_build.startswith("#!/usr/bin/env bash\n") or "\nset -e" not in post_build:
        problems.append("postBuild goes on after an error")
    commands = [
        shlex.split(line)
        for line in post_build.replace("\\\n", "").splitlines()
        if line and not line.startswith(("#", "set "))
    ]
    if [command[:4] for command in commands] != [["python", "-m", "pip", "install"]]:
        return [*problems, "postBuild should install the course and nothing else"]
    (command,) = commands
    if command[4:] != ["--no-cache-dir", "-c", "constraints.txt", "-e", "."]:
        problems.append("postBuild should install the course with the constraints, nothing else")
    return problems


def test_binder_gets_the_same_packages() -> None:
    assert binder_problems(RUNTIME, POST_BUILD) == []


@pytest.mark.parametrize(
    ("runtime", "post_build"),
    [
        ("python-3.9\n", POST_BUILD),
        ("python-3.13\n", POST_BUILD),
        (RUNTIME, POST_BUILD + "if\n"),
        (RUNTIME, POST_BUILD.replace("set -euo pipefail", "")),
        (RUNTIME, POST_BUILD.replace("-c constraints.txt", "")),
        (RUNTIME, POST_BUILD.replace("-e .", "torch")),
        (RUNTIME, POST_BUILD + "pip install numpy\n"),
        (RUNTIME, POST_BUILD.rstrip() + " numpy\n"),
    ],
)
def test_another_environment_would_be_found(runtime: str, post_build: str) -> None:
    assert (runtime, post_build) != (RUNTIME, POST_BUILD)
    assert binder_problems(runtime, post_build)


def link_problems(link: str) -> list[str]:
    """What would not open the first lesson; names in capitals are for the reader to fill in."""
    address = urlsplit(link)
    query = parse_qs(address.query, strict_parsing=True) if address.query else {}
    target = unquote(query["urlpath"][0] if "urlpath" in query else address.path)
    path = re.search(r"notebooks/.*", target)
    problems = [] if path and (ROOT / path[0]).is_file() else [f"{target} is no notebook"]
    if "git-pull" in address.path and query.get("repo") != ["ADDRESS"]:
        problems.append("the address of the repository is not left open")
    if "git-pull" not in address.path and "OWNER/NAME" not in address.path:
        problems.append("the repository is not left open")
    return problems


def test_the_links_of_the_guide_open_the_first_notebook() -> None:
    hosts = [urlsplit(link).netloc for link in LINKS]
    assert hosts == ["HUB", "mybinder.org", "colab.research.google.com"]
    assert [problem for link in LINKS for problem in link_problems(link)] == []
    assert all(UNITS[0].lesson in link for link in LINKS)


@pytest.mark.parametrize("link", LINKS)
def test_another_link_would_be_found(link: str) -> None:
    assert link_problems(link.replace("00_start_here", "00_begin"))
    assert link_problems(re.sub("ADDRESS|OWNER/NAME", "https://example.org/x", link))


def test_the_guide_says_what_was_not_run() -> None:
    section = GUIDE.partition("## Where students open it")[2].partition("\n## ")[0]
    assert "have not been run" in section
    assert "make colab" in section
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "tools/colab.py" in makefile
