"""Write decks as pages that need no network: one HTML file a unit, and one folder of scripts."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jinja2
import nbformat

from birnn_course.course import UNITS, Unit, notebooks_folder
from birnn_course.errors import CourseError
from birnn_course.files import write_atomic
from birnn_course.live import assets
from birnn_course.misconceptions import catalogue
from birnn_course.slides.deck import Deck, deck, inline

ASSETS = "assets"
_REVEAL = ("dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "LICENSE")
"""What a deck needs of reveal.js, which the package sphinx-revealjs brings along."""


def write(units: Sequence[str], out: Path) -> list[str]:
    """Write the decks of some units, or of all.

    Parameters
    ----------
    units : sequence of str
        Two digits each; none for all.
    out : Path
        A folder; made if it does not exist.

    Returns
    -------
    list of str
        One sentence for each deck.

    Raises
    ------
    CourseError
        If there is no such unit, or reveal.js is not installed.
    """
    known = {unit.number: unit for unit in UNITS}
    if unknown := [number for number in units if number not in known]:
        raise CourseError(f"there is no unit {unknown[0]}; there are {', '.join(known)}.")
    reveal = _reveal()
    folder = out / ASSETS
    for name in _REVEAL:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(reveal / name, target)
    sentences = []
    for number in units or known:
        unit = known[number]
        made = deck(joined(unit))
        target = out / unit.lesson.replace(".ipynb", ".html")
        write_atomic(target, page(made))
        sentences.append(f"{target.name}: {len(made.slides)} slides, {made.minutes:g} minutes.")
    return sentences


def joined(unit: Unit) -> Any:
    """What is lectured in a unit: the core lesson, and after it what goes deeper."""
    first, *more = (nbformat.read(notebooks_folder() / name, as_version=4) for name in unit.lessons)
    for notebook in more:
        first.cells += notebook.cells
    return first


def page(made: Deck) -> str:
    """The HTML of a deck."""
    ends, passed = [], 0.0
    for slide in made.slides:
        passed += slide.minutes
        ends.append(passed)
    template = _environment().get_template("deck.html")
    css = resources.files(__package__).joinpath("deck.css").read_text(encoding="utf-8")
    parts = "".join(part.html for slide in made.slides for part in slide.parts)
    live = assets(parts, keeps=False)  # the next class guesses anew
    return template.render(
        deck=made, ends=ends, catalogue=catalogue(), css=css, assets=ASSETS, live=live
    )


def _environment() -> jinja2.Environment:
    loader = jinja2.PackageLoader("birnn_course", "slides")
    made = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    made.filters["minutes"] = lambda value: f"{value:g}"
    made.filters["inline"] = inline
    return made


def _reveal() -> Path:
    spec = find_spec("sphinx_revealjs")
    if spec is None or spec.origin is None:
        raise CourseError("slides need one more package; run: pip install 'birnn-course[slides]'")
    found = sorted(Path(spec.origin).parent.rglob("dist/reveal.js"))
    if not found:
        raise CourseError(
            "this sphinx-revealjs brings no reveal.js; run: pip install -U 'birnn-course[slides]'"
        )
    return found[0].parent.parent
