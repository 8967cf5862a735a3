"""From lessons to slides: what is shown, what is said, and what is refused."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from birnn_course.cli import main
from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue
from birnn_course.questions.bank import bank, practice
from birnn_course.slides.deck import (
    LARGEST,
    LONGEST,
    LONGEST_LINE,
    MINUTES_OF_A_VOTE,
    SMALLEST,
    Deck,
    deck,
)
from birnn_course.slides.export import joined, page

from conftest import ROOT

LECTURES = [unit for unit in UNITS if "01" <= unit.number <= "07"]


def cell(made: Any, kind: str | None = None, **options: Any) -> Any:
    if kind:
        made.metadata["slideshow"] = {"slide_type": kind}
    if options:
        made.metadata["birnn"] = {"slide": options}
    return made


def printing(text: str) -> Any:
    return new_code_cell("print(1)", outputs=[new_output("stream", name="stdout", text=text)])


def of(*cells: Any) -> Deck:
    return deck(new_notebook(cells=list(cells)))


def test_short_text_is_shown_and_long_text_is_said() -> None:
    long = " ".join(["word"] * (LONGEST + 1))
    source = f"## A *heading*\n\nShort.\n\n{long}\n\n> **Guess.** {long}\n\n- {long}"
    [slide] = of(cell(new_markdown_cell(source), "slide")).slides
    assert slide.heading == "A <em>heading</em>"
    [part] = slide.parts
    assert "Short." in part.html and "Guess." in part.html and "<li>" in part.html
    assert part.html.count(long) == 2 and slide.notes == [f"<p>{long}</p>"]


def test_what_a_reader_needs_is_neither_shown_nor_said() -> None:
    long = " ".join(["word"] * (LONGEST + 1))
    source = f"# The deck\n\n**You need** {long}\n\n**Time** 75 minutes."
    [slide] = of(cell(new_markdown_cell(source), "slide")).slides
    assert slide.parts == [] and slide.notes == []


def test_what_stands_before_a_heading_is_said_to_the_slide_before() -> None:
    first, second = of(
        cell(new_markdown_cell("# First"), "slide"),
        cell(new_markdown_cell("The end of it.\n\n## Second\n\nIts own."), "slide"),
    ).slides
    assert first.notes == ["<p>The end of it.</p>"]
    assert second.heading == "Second" and second.parts[0].html == "<p>Its own.</p>"


def test_what_stands_before_a_heading_goes_with_the_cell_it_is_about() -> None:
    both = "The end of it.\n\n## Next\n\nIts own."
    first, _ = of(
        cell(new_markdown_cell("# First"), "slide"),
        cell(printing("for readers"), "skip"),
        cell(new_markdown_cell(both), "slide"),
    ).slides
    assert first.notes == []
    first, second = of(
        cell(new_markdown_cell("# First"), "slide"),
        cell(printing("shown"), "slide"),
        cell(new_markdown_cell(both), "skip"),
    ).slides
    assert first.notes == [] and second.notes == ["<p>The end of it.</p>"]


@pytest.mark.parametrize("kind", ["notes", "-", "fragment"])
def test_what_stands_before_a_heading_is_said_on_the_same_slide_too(kind: str) -> None:
    [slide] = of(
        cell(new_markdown_cell("# First"), "slide"),
        cell(new_markdown_cell("The end of it.\n\n## Second\n\nIts own."), kind),
    ).slides
    assert slide.notes[0] == "<p>The end of it.</p>"


def test_code_is_as_large_as_there_is_room() -> None:
    def size(source: str) -> float:
        return of(cell(new_code_cell(source), "slide")).slides[0].code_size

    assert size("x = 1") == LARGEST and size("x" * 200) == SMALLEST
    assert SMALLEST < size("x" * 80) < LARGEST
    assert SMALLEST < size("x = 1\n" * 15) < LARGEST


def test_what_each_kind_of_cell_does() -> None:
    made = of(
        cell(new_markdown_cell("# The deck"), "slide", minutes=1),
        cell(new_markdown_cell("for readers"), "skip"),
        new_markdown_cell("for readers too"),
        cell(new_markdown_cell("## Second"), "skip"),
        cell(printing("shown"), "slide", aims_at=["last-step-readout"]),
        cell(printing("later"), "fragment"),
        cell(new_markdown_cell("said, though short"), "notes"),
    )
    assert made.title == "The deck" and [s.heading for s in made.slides] == ["The deck", "Second"]
    assert "readers" not in page(made)
    second = made.slides[1]
    assert [(part.kind, part.step) for part in second.parts] == [
        ("code", False), ("output", False), ("code", True), ("output", True),
    ]  # fmt: skip
    assert second.notes == ["<p>said, though short</p>\n"]
    assert made.minutes == 3
    belief = "Belief (<code>last-step-readout</code>): <em>"
    assert belief in page(made) and "True: " in page(made) and "3 of 3 are over" in page(made)


def test_code_can_be_hidden_or_split() -> None:
    hidden = of(
        cell(printing("seen"), "slide", hide="input"), cell(printing("out"), "-", hide="output")
    )
    assert [part.kind for part in hidden.slides[0].parts] == ["output", "code"]
    one, two = of(cell(printing("seen"), "slide", split=True, minutes=3)).slides
    assert [p.kind for p in one.parts] == ["code"] and [p.kind for p in two.parts] == ["output"]
    assert one.minutes == two.minutes == 1.5


def test_a_slide_can_have_a_title_of_its_own() -> None:
    first, second, third = of(
        cell(new_markdown_cell("# Deck"), "slide", title="Not `this`"),
        cell(new_markdown_cell("Short."), "slide", title="The mend"),
        cell(new_markdown_cell("Short."), "slide"),
    ).slides
    assert first.heading == "Not <code>this</code>"
    assert [second.heading, third.heading] == ["The mend", "Deck"]


def test_what_is_to_be_said_can_be_written_down() -> None:
    long = " ".join(["word"] * (LONGEST + 1))
    text, code, halves, output = of(
        cell(new_markdown_cell(f"# Deck\n\n{long}"), "slide", say="Ask *them*."),
        cell(printing("shown"), "slide", say="Wait."),
        cell(printing("halves"), "slide", split=True, say="At the output."),
    ).slides
    assert text.notes == ["<p>Ask <em>them</em>.</p>"] and text.parts == []
    assert code.notes == ["<p>Wait.</p>"]
    assert halves.notes == [] and output.notes == ["<p>At the output.</p>"]


def test_an_output_can_wait() -> None:
    [slide] = of(cell(printing("shown"), "slide", wait=True)).slides
    assert [(part.kind, part.step) for part in slide.parts] == [("code", False), ("output", True)]


def test_a_figure_can_stand_alone() -> None:
    made = printing("both above 90 %")
    made.outputs.append(new_output("display_data", {"text/html": "<img alt='a' src='data:,'>"}))
    [slide] = of(cell(made, "slide", hide="typed", say="Look.")).slides
    assert [part.kind for part in slide.parts] == ["figure"]
    assert slide.notes == ["<p>Look.</p>", "<pre>both above 90 %</pre>"]


def test_a_comment_stands_above_a_long_line() -> None:
    long = "x" * LONGEST_LINE

    def shown(source: str) -> str:
        [part] = of(cell(new_code_cell(source), "slide")).slides[0].parts
        return html.unescape(re.sub("<[^>]+>", "", part.html)).strip()

    assert shown("x = 1  # short") == "x = 1  # short"
    assert shown(f"if x:\n    {long}   # long") == f"if x:\n    # long\n    {long}"
    assert shown(f'"# {long}"') == f'"# {long}"'


def test_a_message_goes_on_below_its_beginning() -> None:
    def shown(text: str) -> str:
        return of(cell(printing(text), "slide")).slides[0].parts[1].html

    words = " ".join(["word"] * 20)
    assert shown(f"a table: {words}") == f"<pre>a table: {words}</pre>"
    first, second = shown(f"it says  ValueError: {words}").split("\n")
    assert len(first) - len("<pre>") <= LONGEST_LINE and second.startswith(" " * 9 + "word")
    assert (first + second).count("word") == 20


def test_a_vote_names_its_place_in_the_quiz() -> None:
    number = [q.id for q in practice("03")]
    first = cell(new_markdown_cell("# Deck"), "slide", vote=[number[4]])
    assert f"Question 5 of {len(number)} in the quiz of unit 03." in of(first).slides[1].notes[0]


def test_a_vote_follows_its_slide_and_tells_every_option() -> None:
    question = next(q for q in bank().values() if q.kind == "one")
    first, vote, last = of(
        cell(new_markdown_cell("# Deck"), "slide", vote=[question.id]),
        cell(printing("before the vote"), "fragment"),
        cell(new_markdown_cell("## Next"), "slide"),
    ).slides
    assert vote.minutes == MINUTES_OF_A_VOTE and last.heading == "Next"
    shown = vote.parts[0].html
    assert shown.count("feedback fragment") == len(question.answers)
    assert shown.count("✓ ") == len(question.right)
    assert set(vote.aims_at) == {a.misconception for a in question.answers if a.misconception}
    assert "before the vote" in first.parts[-1].html


def test_markup_in_outputs_and_questions_is_shown_not_obeyed() -> None:
    made = of(cell(printing("<script>alert(1)</script>"), "slide"))
    assert "<script>alert" not in page(made)


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ([cell(printing(""), "slides")], "slide_type 'slides' is none of"),
        ([cell(printing(""), "slide", minute=2)], "birnn.slide has 'minute'"),
        ([cell(printing(""), "slide", aims_at=["no-such"])], "no misconception 'no-such'"),
        ([cell(printing(""), "slide", vote=["no-such"])], "no question 'no-such'"),
        ([cell(printing(""), "slide", hide="all")], "hide is 'all'"),
        ([cell(printing(""), "slide", wait="yes")], "wait is 'yes'"),
        ([cell(printing(""), "slide", say=True)], "say is True"),
        ([cell(printing(""), "fragment")], "nothing has begun"),
        ([printing("")], "no cell of this notebook begins a slide"),
    ],
)
def test_nonsense_is_refused(cells: list[Any], problem: str) -> None:
    with pytest.raises(CourseError, match=re.escape(problem)):
        of(*cells)


def lecture_problems(made: Deck) -> list[str]:
    """What would make a deck unfit for a lecture of 45 minutes."""
    found = []
    if not 25 <= len(made.slides) <= 35:
        found.append(f"{len(made.slides)} slides")
    if not 40 <= made.minutes <= 45:
        found.append(f"{made.minutes:g} minutes")
    if sum(bool(slide.aims_at) for slide in made.slides) < len(made.slides) / 2:
        found.append("fewer than half of the slides are aimed at a misconception")
    votes = sum('class="vote"' in part.html for slide in made.slides for part in slide.parts)
    if not 3 <= votes <= 6:
        found.append(f"{votes} votes")
    found += [
        f"slide {i} shows nothing" for i, slide in enumerate(made.slides, 1) if not slide.parts
    ]
    found += [
        f"slide {i}: nothing is said" for i, slide in enumerate(made.slides, 1) if not slide.notes
    ]
    return found


def unmarked(notebook: Any) -> list[int]:
    """Cells that other tools would put on a slide, since nothing is said about them."""
    return [i for i, c in enumerate(notebook.cells, 1) if "slideshow" not in c.metadata]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.number)
def test_every_cell_says_whether_it_is_shown(unit: Any) -> None:
    assert unmarked(joined(unit)) == []


def test_a_cell_that_does_not_say_is_found() -> None:
    assert unmarked(new_notebook(cells=[cell(printing(""), "skip"), printing("")])) == [2]


def deck_of(number: str) -> Deck:
    return deck(joined(next(unit for unit in UNITS if unit.number == number)))


@pytest.mark.parametrize("unit", LECTURES, ids=lambda unit: unit.number)
def test_a_lesson_is_a_lecture(unit: Any) -> None:
    assert lecture_problems(deck_of(unit.number)) == []


def test_a_lesson_that_is_no_lecture_is_found() -> None:
    assert len(lecture_problems(of(cell(new_markdown_cell("# Deck"), "slide")))) == 6


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.number)
def test_a_deck_names_no_other_host(unit: Any) -> None:
    loaded = r"""(?:src|href)=["'](?!data:|#|assets/)([^"']*)"""
    assert re.findall(loaded, re.sub(r"<a [^>]*>", "", page(deck_of(unit.number)))) == []


def test_the_command_writes_decks_and_scripts(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["slides", "01", "-o", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"01_bidirectional\.html: \d+ slides, [\d.]+ minutes\.\n", result.output)
    assert (tmp_path / "assets" / "dist" / "reveal.js").stat().st_size > 50_000
    unknown = CliRunner().invoke(main, ["slides", "11", "-o", str(tmp_path)])
    assert unknown.exit_code == 1 and "there is no unit 11; there are 00, 01" in unknown.stderr


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("birnn_course.slides.export.find_spec", lambda name: None)
    result = CliRunner().invoke(main, ["slides", "-o", str(tmp_path)])
    assert result.exit_code == 1 and "pip install 'birnn-course[slides]'" in result.stderr
    assert list(tmp_path.iterdir()) == []


# ── the guide ───────────────────────────────────────────────────────────────────────────────────

GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")


def numbers(text: str) -> list[int]:
    """``1–3 and 5`` as 1, 2, 3, 5."""
    found: list[int] = []
    for first, last in re.findall(r"(\d+)(?:–(\d+))?", text):
        found += range(int(first), int(last or first) + 1)
    return found


def minutes_of(unit: str, slides: str) -> float:
    made = deck_of(unit).slides
    return sum(made[i - 1].minutes for i in numbers(slides))


def test_the_long_lecture_of_the_guide_fits_its_minutes() -> None:
    rows = re.findall(r"^\| (\d+)–(\d+) \| (\d\d) \| ([\d–]+) \|", GUIDE, re.MULTILINE)
    assert len(rows) == 7
    assert sum(minutes_of(unit, slides) for *_, unit, slides in rows) <= 85
    for start, end, unit, slides in rows[:-1]:
        assert abs(minutes_of(unit, slides) - (int(end) - int(start))) <= 0.5, (unit, slides)
    assert minutes_of("01", "1–16") != minutes_of("01", "1–15")


def test_the_four_lectures_of_the_guide_fit() -> None:
    rows = re.findall(r"^\| [1-4] \| ([^|]+) \| ([^|]+) \|", GUIDE, re.MULTILINE)
    assert len(rows) == 4
    for units, slides in rows:
        parts = zip(re.findall(r"\d\d", units), slides.split("then"), strict=False)
        took = sum(
            deck_of(unit).minutes if "all" in part else minutes_of(unit, part)
            for unit, part in parts
        )
        assert 40 <= took <= 45, (units, slides)


def test_what_the_guide_skips_takes_what_it_says() -> None:
    skipped = re.findall(
        r"^\*\*(\d\d),.*Skip: slides (.*?); that is ([\d.]+) minutes", GUIDE, re.MULTILINE
    )
    assert [unit for unit, *_ in skipped] == [unit.number for unit in LECTURES]
    for unit, slides, minutes in skipped:
        assert minutes_of(unit, re.sub(r"\([^)]*\)", "", slides)) == float(minutes), unit


def test_the_guide_names_misconceptions_that_there_are() -> None:
    named = [
        set(re.findall(r"\(`([\w-]+)`\)", text))
        for text in re.findall(r"Expect: (.*?) Skip", GUIDE)
    ]
    assert len(named) == len(LECTURES) and all(len(ids) == 3 for ids in named)
    assert set().union(*named) <= set(catalogue())
