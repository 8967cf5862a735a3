"""A learner's working copy of the notebooks, and how it meets a newer version of the course.

A manifest in the working copy remembers what was delivered: for each file the hash of its sources
(outputs do not count, so running a notebook does not change it). From that follows the rule:

* unchanged by the learner → replaced by the new version; if only what the course says about its
  cells is new (their metadata), that is put on them, and outputs stay;
* changed by the learner → theirs stays, and ours arrives beside it as ``NAME (new).ipynb``;
* not readable → set aside as ``NAME.ipynb.damaged``, and ours takes its place.

Nothing a learner wrote is ever overwritten or deleted.
"""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.ipkernel import IPythonKernel

from birnn_course.course import SPLIT_FROM, learner_notebooks, notebooks_folder
from birnn_course.errors import CourseError
from birnn_course.files import free_name, numbered, write_atomic

MANIFEST = ".birnn-manifest.json"
OURS = ("birnn", "slideshow", "tags")
"""Metadata of a cell that the course writes; a learner's front end writes others."""

Notebook = Any  # nbformat's NotebookNode, a dict with attributes


def update(folder: Path) -> list[str]:
    """Bring the working copy in ``folder`` up to date.

    Parameters
    ----------
    folder : Path
        Made if it does not exist.

    Returns
    -------
    list of str
        One sentence for each thing the learner should know about.

    Raises
    ------
    CourseError
        If the folder cannot be written; what was in it before is still there.
    """
    try:
        return _update(folder)
    except OSError as error:
        raise CourseError(_explain(folder, error)) from None


def _update(folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    news: list[str] = []
    delivered = _read_manifest(folder, news)
    for name in learner_notebooks():
        ours = _read(notebooks_folder() / name)
        if ours is None:
            raise CourseError(
                f"this installation of the course has no readable {name}; install it again."
            )
        _deliver(folder, name, ours, delivered, news)
    # Written on every start: a folder that cannot be written shows here and not after an hour.
    text = json.dumps({"delivered": delivered}, indent=1, sort_keys=True)
    write_atomic(folder / MANIFEST, text + "\n")
    return news


def _deliver(
    folder: Path, name: str, ours: Notebook, delivered: dict[str, str], news: list[str]
) -> None:
    version = _hash_sources(ours)
    path = folder / name
    if not path.exists():
        _write(path, ours)
        if delivered and name not in delivered and name in SPLIT_FROM:
            news.append(f"{name} is new: part of {SPLIT_FROM[name]} moved there.")
    else:
        theirs = _read(path)
        if theirs is None:
            aside = free_name(folder / f"{name}.damaged")
            path.rename(aside)
            _write(path, ours)
            news.append(
                f"{name} could not be read as a notebook: it is kept as {aside.name}, "
                "and a fresh copy is in its place."
            )
        elif _hash_sources(theirs) == version:
            _say_what_we_say(path, theirs, ours)  # this version already, with their outputs
        elif _hash_sources(theirs) == delivered.get(name):
            _write(path, ours)
            news.append(f"{name} is now the new version; you had not changed the old one.")
        elif delivered.get(name) != version:
            beside = _beside(folder, name, version, delivered)
            _write(beside, ours)
            delivered[beside.name] = version
            news.append(f"{name} has your changes and stays; the new version is {beside.name}.")
    delivered[name] = version


def _beside(folder: Path, name: str, version: str, delivered: dict[str, str]) -> Path:
    """Where the new version goes: the first of (new), (new 2), … without work of the learner."""
    for candidate in numbered(f"{Path(name).stem} (new", ").ipynb"):
        path = folder / candidate
        if not path.exists():
            return path
        there = _read(path)
        if there and _hash_sources(there) in (version, delivered.get(candidate)):
            return path
    raise AssertionError("unreachable: the numbers do not end")


def _read_manifest(folder: Path, news: list[str]) -> dict[str, str]:
    path = folder / MANIFEST
    try:
        delivered = json.loads(path.read_text(encoding="utf-8"))["delivered"]
        return {str(name): str(version) for name, version in delivered.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError):
        # Without it every notebook counts as the learner's own, so nothing is overwritten.
        news.append(f"{MANIFEST} could not be read and is made anew; your notebooks stay.")
        return {}


def _read(path: Path) -> Notebook | None:
    """The notebook at ``path``, or None if there is none that can be read."""
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, KeyError, TypeError, AttributeError, nbformat.ValidationError):
        return None
    except FileNotFoundError:
        return None
    return notebook


def _hash_sources(notebook: Notebook) -> str:
    """Changes with what is written in the cells, not with outputs, counts, ids or metadata."""
    cells = [(cell.cell_type, cell.source.rstrip()) for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()


def _say_what_we_say(path: Path, theirs: Notebook, ours: Notebook) -> None:
    """Put our new metadata on cells that are the same; outputs and the learner's own stay."""
    before = nbformat.writes(theirs)
    for cell, new in zip(theirs.cells, ours.cells, strict=True):
        for key in OURS:
            cell.metadata.pop(key, None)
            if key in new.metadata:
                cell.metadata[key] = new.metadata[key]
    if nbformat.writes(theirs) != before:
        write_atomic(path, nbformat.writes(theirs) + "\n")


def _write(path: Path, notebook: Notebook) -> None:
    """Write ``notebook`` with its outputs cleared, ready for the Python it will run on."""
    notebook = nbformat.from_dict(notebook)
    # Just what the kernel will say of itself: else JupyterLab marks the notebook as changed as
    # soon as it is open.
    notebook.metadata["language_info"] = IPythonKernel.language_info
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    write_atomic(path, nbformat.writes(notebook) + "\n")


def _explain(folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"the disk that holds {folder} is full; free some space and start again. "
            "Nothing of yours was changed."
        )
    if error.errno in (errno.EEXIST, errno.ENOTDIR):
        return f"{folder} is a file, not a folder; choose another: birnn lab FOLDER"
    return (
        f"cannot write in {folder} ({error.strerror}); choose another folder: birnn lab FOLDER. "
        "Nothing of yours was changed."
    )
