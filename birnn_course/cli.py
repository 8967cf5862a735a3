"""The ``birnn`` command. Each subcommand imports what it needs, so that ``--help`` is quick."""

from __future__ import annotations

import errno
import math
import os
import sys
from pathlib import Path
from typing import Any

import click

from birnn_course import __version__
from birnn_course.errors import CourseError


class _Group(click.Group):
    """Shows a :class:`CourseError` as its sentence and ends with exit code 1.

    So it does with a file that cannot be read or written: which one it is the system says.
    """

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            command = error.ctx.command_path if error.ctx else "birnn"
            _say(f"{error.format_message()[:300].rstrip('.')}; see {command} --help.")
            sys.exit(2)
        except CourseError as error:
            _say(str(error))
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read has had enough
                raise
            name = error.filename2 or error.filename  # where it should go, or where it is
            what = f"{name} cannot be used" if name else "that cannot be done"
            _say(f"{what} ({error.strerror or error}); mend that, or name another place.")
        sys.exit(1)


class _Place(click.Path):
    """A path that names something: an empty one would be the current folder."""

    def __init__(self, **options: bool) -> None:
        super().__init__(path_type=Path, **options)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value).strip():
            raise CourseError("a name is empty; name the folder, or . for the one you are in.")
        return super().convert(value, param, ctx)


class _Number(click.FloatRange):
    """A number within bounds, and none that is not a number."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if isinstance(value, str) and "," in value:
            self.fail(f"{value}: write the decimals behind a point.", param, ctx)
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is no number of this kind.", param, ctx)
        return number


@click.group(cls=_Group)
@click.version_option(__version__, prog_name="birnn")
def main() -> None:
    """Learn bidirectional RNNs in PyTorch, in JupyterLab."""


@main.command()
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FOLDER] [-- OPTIONS]")
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--port", type=click.IntRange(1, 65535), help="Use this port and no other.")
@click.option(
    "--lessons",
    default="",
    metavar="ADDRESS",
    envvar="BIRNN_LESSONS",
    help="Where the site of birnn site stands; checks and audits then link to misconceptions.",
)
def lab(arguments: tuple[str, ...], no_browser: bool, port: int | None, lessons: str) -> None:
    """Open the course in JupyterLab, in a working copy of its notebooks.

    The working copy is FOLDER (./birnn-lab if not given). Start again any time: it opens where you
    gave your last answer, your work stays, and new versions of the notebooks arrive beside it.
    OPTIONS go to JupyterLab.
    """
    from birnn_course.app import lab as jupyterlab
    from birnn_course.app import workspace
    from birnn_course.app.stopped import place
    from birnn_course.misconceptions.address import VARIABLE, checked
    from birnn_course.record import record

    if lessons := checked(lessons):
        os.environ[VARIABLE] = lessons  # kernels of this JupyterLab inherit it
    named = bool(arguments) and not arguments[0].startswith("-")
    if named and not arguments[0].strip():
        raise CourseError("the name of the folder is empty; name one, or leave it out.")
    folder = Path(arguments[0] if named else "birnn-lab")
    first, welcome = place(record().attempts())
    options = jupyterlab.command(
        folder, browser=not no_browser, port=port, more=arguments[named:], first=first
    )
    if welcome:
        click.echo(f"birnn: {welcome}")
    for sentence in workspace.update(folder):
        click.echo(f"birnn: {sentence}")
    sys.exit(jupyterlab.start(options))


@main.command()
def doctor() -> None:
    """Say what works on this machine. Exit code 1 if the course cannot run."""
    from birnn_course.app.doctor import examine

    findings = examine()
    for finding in findings:
        mark = {"ok": "ok", "problem": "NO"}.get(finding.verdict, "--")
        click.echo(f"{mark}  {finding.probe:<11}{finding.evidence}")
    broken = [finding.probe for finding in findings if finding.verdict == "problem"]
    if broken:
        click.echo(f"\nThe course cannot run here yet: see {', '.join(broken)}.")
        sys.exit(1)
    click.echo("\nThe course runs here. Start it with: birnn lab")


@main.command()
@click.argument("unit")
@click.option("--json", "as_json", is_flag=True, required=True, help="The form of the output.")
def quiz(unit: str, as_json: bool) -> None:
    """Print a unit's questions with key, feedback and proof, for lecturers."""
    import dataclasses
    import json

    from birnn_course.questions.bank import NO_VALUE, bank

    def with_values(fields: list[tuple[str, object]]) -> dict[str, object]:
        return {name: value for name, value in fields if value is not NO_VALUE}

    questions = [
        dataclasses.asdict(q, dict_factory=with_values) for q in bank().values() if q.unit == unit
    ]
    if not questions:
        units = ", ".join(sorted({q.unit for q in bank().values()}))
        raise CourseError(f"there are no questions for unit {unit}; there are for {units}.")
    click.echo(json.dumps(questions, indent=1, ensure_ascii=False))


@main.command()
@click.option(
    "--export",
    "target",
    type=_Place(dir_okay=False),
    help="Write ids, points and times to this file, to be handed in; your answers stay here.",
)
@click.option(
    "--import",
    "source",
    type=_Place(exists=True, dir_okay=False),
    help="First read in the answers that you took along from the course's pages.",
)
def progress(target: Path | None, source: Path | None) -> None:
    """Show what you have done, what you believed, and what to do next."""
    from birnn_course.exercises import EXERCISES
    from birnn_course.files import write_atomic
    from birnn_course.learner.summary import describe
    from birnn_course.record import export, record

    if source is not None:
        from birnn_course.learner.along import bring

        for sentence in bring(source, record()):
            click.echo(sentence)
        click.echo()
    click.echo(describe(record().attempts(), {e.name: e.unit for e in EXERCISES.values()}))
    if target is not None and target.exists() and not target.is_file():
        raise CourseError(f"{target} is no file that could be replaced; name another.")
    if target is not None:
        try:
            write_atomic(target, export(record()))
        except OSError as error:
            raise CourseError(f"cannot write {target} ({error.strerror}).") from None
        click.echo(f"Written to {target}: ids, points and times, no answers.")
    _tell(record().notice)


@main.command()
@click.option("--number", "n", type=click.IntRange(1, 50), default=5, help="How many questions.")
def review(n: int) -> None:
    """Answer a few questions again: open misconceptions first, then what is due."""
    from birnn_course.learner.review import choose
    from birnn_course.questions.terminal import ask
    from birnn_course.record import record

    questions = choose(record().attempts(), n)
    for number, question in enumerate(questions, 1):
        click.echo(f"\n{number} of {len(questions)}")
        if not ask(question):
            break
    click.echo("\nNothing is due. Come back tomorrow." if not questions else "\nDone for now.")
    _tell(record().notice)


@main.command()
@click.argument("number", type=click.IntRange(1, 1_000), default=1)
@click.option("--questions", "n", type=click.IntRange(1, 50), default=10, help="How many.")
@click.option("--unit", "units", multiple=True, help="Only this unit; may be given several times.")
@click.option("--minutes", type=_Number(0, 10_000, min_open=True), help="Stop after so long.")
def test(number: int, n: int, units: tuple[str, ...], minutes: float | None) -> None:
    """Ten questions from all units, and a score. NUMBER 2 asks the next ten, and so on."""
    import time

    from birnn_course.learner.mixed import draw, result
    from birnn_course.questions.terminal import ask
    from birnn_course.record import record

    questions = draw(number, n, units or None)
    points: dict[str, float] = {}
    ends = None if minutes is None else time.monotonic() + 60 * minutes
    for position, question in enumerate(questions, 1):
        click.echo(f"\n{position} of {len(questions)}")
        if not ask(question):
            break
        late = ends is not None and time.monotonic() > ends
        if late:
            click.echo("Time is up: this answer is recorded, and does not count.")
            break
        points[question.id] = record().attempts(question.id)[-1].points
    click.echo(f"\n{result(questions, points)}")
    _tell(record().notice)


@main.command()
@click.argument("place", metavar="SUBMISSIONS", type=_Place())
@click.option("-o", "--out", required=True, type=_Place(), help="Results.")
@click.option(
    "--seed", type=click.IntRange(0, 2**64 - 1), help="Of the hidden cases; drawn if not given."
)
@click.option("--jobs", type=click.IntRange(1, 256), help="How many at a time; one per processor.")
@click.option(
    "--timeout",
    type=_Number(1, 86_400),
    default=60.0,
    help="Seconds for one notebook (60); a cell gets a third, one call of a function a sixth, all "
    "notebooks of a student together three times as much.",
)
@click.option("--bank", type=_Place(), help="A folder of your own exercises.")
@click.option("--engine", default="local", help="local, or dask://HOST:PORT.")
@click.option(
    "--again",
    multiple=True,
    metavar="STUDENT",
    help="Mark this student once more, changed or not; may be given several times.",
)
@click.option(
    "--units",
    multiple=True,
    metavar="01,02",
    help="The units that count; if not given, those that a fifth of the class answered.",
)
@click.option(
    "--lessons",
    default="",
    metavar="ADDRESS",
    envvar="BIRNN_LESSONS",
    help="Where the site of birnn site stands; the pages then link to misconceptions and sections.",
)
@click.option("--no-sandbox", is_flag=True, help="Run students' code with all your rights.")
def grade(
    place: Path,
    out: Path,
    seed: int | None,
    jobs: int | None,
    timeout: float,
    bank: Path | None,
    engine: str,
    again: tuple[str, ...],
    units: tuple[str, ...],
    lessons: str,
    no_sandbox: bool,
) -> None:
    """Mark what a class handed in: a folder with one folder for each student, or a zip.

    OUT gets grades.csv, totals.csv, class.html and feedback/. Run it again any time: what was
    marked and has not changed is not marked again.
    """
    _need_grading()
    from birnn_course.grading import classroom
    from birnn_course.misconceptions.address import checked

    chosen = tuple(",".join(units).replace(",", " ").split())
    if units and not chosen:
        raise CourseError("--units names no unit; write --units 01,02, or leave it out.")
    request = classroom.Request(
        place,
        out,
        seed,
        jobs,
        timeout,
        bank,
        engine,
        again,
        protected=not no_sandbox,
        lessons=checked(lessons),
        units=chosen,
    )
    if no_sandbox:
        _say(
            "WITHOUT A SANDBOX every submission can read and change your files, the marks included."
        )
    try:
        with classroom.prepare(request) as run:
            for sentence in run.sentences:
                _say(sentence)
            with click.progressbar(length=run.waiting, label="Marking", file=sys.stderr) as bar:
                run.mark(lambda student: bar.update(1))
            for sentence in run.report():
                _say(sentence)
            click.echo(f"{run.summary()}; see {_shown(out / 'class.html')}")
    except KeyboardInterrupt:
        click.echo("\nbirnn: stopped; the same command goes on from here.", err=True)
        sys.exit(130)


@main.command()
@click.argument("bank")
@click.option("-o", "--out", required=True, type=_Place(), help="Results.")
@click.option("--no-sandbox", is_flag=True, help="Run the solutions with all your rights.")
def assign(bank: str, out: Path, no_sandbox: bool) -> None:
    """Make notebooks to hand out from exercises of your own.

    BANK is a folder with NAME.py and NAME.ipynb for each assignment. OUT gets source/ (with
    solutions, for you) and release/ (to hand out). BANK may be the number of a unit of the course
    instead, as 01: then both hold the learner's copy.
    """
    _need_grading()
    from birnn_course.grading.assign import assign as write

    if not bank.strip():
        raise CourseError("BANK is empty; name the folder with your exercises, or a unit as 01.")
    for sentence in write(bank, out, "unprotected" if no_sandbox else "many"):
        click.echo(sentence)
    click.echo(
        f"With nbgrader copy {_shown(out / 'source')} into the course and run generate_assignment; "
        f"without it hand out what is in {_shown(out / 'release')}."
    )


@main.command()
@click.argument("units", nargs=-1, metavar="[UNIT]...")
@click.option("-o", "--out", required=True, type=_Place(), help="A folder.")
def slides(units: tuple[str, ...], out: Path) -> None:
    """Write the slides of a lecture for some units, as 01 02, or for all.

    Each deck is a page that any browser opens, without a network. It needs the folder "assets"
    beside it. The key S opens the speaker's view: notes, timing, what each slide is aimed at.
    """
    try:
        from birnn_course.slides.export import write
    except ImportError:
        raise CourseError(
            "slides need one more package; run: pip install 'birnn-course[slides]'"
        ) from None
    for sentence in write(units, out):
        click.echo(sentence)


@main.command()
@click.option("-o", "--out", required=True, type=_Place(), help="A folder, which will be replaced.")
def site(out: Path) -> None:
    """Write the course as web pages, to be read before anything is installed.

    The pages are made from the stored notebooks; nothing is run. They need no network, open from a
    disk too, and go onto any web server as they are.
    """
    try:
        from birnn_course.site.build import write
    except ImportError:
        raise CourseError(
            "the site needs more packages; run: pip install 'birnn-course[site]'"
        ) from None
    for sentence in write(out):
        click.echo(sentence)


def _need_grading() -> None:
    from importlib.util import find_spec

    if not all(map(find_spec, ("jinja2", "msgpack"))):
        raise CourseError("grading needs more packages; run: pip install 'birnn-course[grade]'")


def _tell(notice: str | None) -> None:
    if notice:
        _say(notice)


def _say(sentence: str) -> None:
    """A sentence beside what is printed, also where it names a file of half characters."""
    click.echo(f"birnn: {_shown(sentence)}", err=True)


def _shown(text: object) -> str:
    return str(text).encode("utf-8", "replace").decode("utf-8")
