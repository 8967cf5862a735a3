"""What a notebook has stored of a widget is enough to make it live on a page without a kernel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from test_guessing import Plotted

from birnn_course.data import cue_task
from birnn_course.explore.limit import limit_explorer
from birnn_course.explore.reading import reading_explorer
from birnn_course.explore.shapes import shape_explorer
from birnn_course.learner.guessing import guess, measured
from birnn_course.learner.mixed import mixed_test
from birnn_course.learner.review import warm_up
from birnn_course.live import MIME, assets, placeholder, restored, scripts
from birnn_course.questions.bank import bank
from birnn_course.questions.widget import diagnostic, quiz
from birnn_course.widgets import CourseWidget


def bundle(widget: Any) -> dict[str, Any]:
    """What a notebook stores of it."""
    plain, html = widget.without_kernel()
    return {
        "text/plain": plain,
        "text/html": html,
        MIME: json.loads(json.dumps(widget.descriptor())),
    }


def values_of(widget: CourseWidget) -> dict[str, Any]:
    """What the page gives to the script."""
    found = re.search(r'json">(.*)</script>', placeholder(widget))
    assert found is not None
    values: dict[str, Any] = json.loads(found[1])
    return values


INVENTORY_ITEM = next(question.id for question in bank().values() if question.form)
LINE: dict[str, Any] = {"low": 0, "high": 100, "unit": "%"}
CURVE: dict[str, Any] = {"at": [0, 1, 6], **LINE, "xlabel": "late"}


@pytest.mark.parametrize(
    "made",
    [
        lambda: guess("01-a", "How many?", **LINE),
        lambda: guess("01-b", "Which <one>?", choices=["</script>", "b"]),
        lambda: guess("01-c", "Which?", choices={"up": [1, 2], "down": [2, 1]}),
        lambda: guess("01-d", "How good?", **CURVE),
        lambda: measured("01-e", 80.2, **LINE),
        lambda: measured("01-e", -3, exact=True),
        lambda: measured("01-e", "the last. And more"),
        lambda: measured("01-f", [60, 62.5, 1], **CURVE),
        lambda: reading_explorer("summary", "phone", summary="both ends"),
        lambda: shape_explorer("two-layers", kind="lstm", slice="output[0, 1:3]"),
        lambda: limit_explorer(lookahead=6),
        lambda: limit_explorer(cue_task(3)),
    ],
)
def test_what_is_stored_makes_the_same_widget(home: Path, made: Any) -> None:
    widget = made()
    again = restored(bundle(widget))
    assert again is not None and type(again).__name__ == type(widget).__name__
    assert values_of(again) == values_of(widget)


def test_a_result_upon_a_picture_keeps_the_picture(home: Path) -> None:
    again = restored(bundle(measured("01-on", 80, picture=Plotted(), **LINE)))
    assert again is not None and "<figure><img" in values_of(again)["picture"]["html"]


def test_no_guess_of_whoever_makes_the_page_is_in_it(home: Path) -> None:
    asked = guess("01-mine", "How many?", **LINE)
    asked.value = 61.25
    assert "61.25" not in placeholder(asked) + placeholder(measured("01-mine", 3, **LINE))


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"text/plain": "3"},
        {MIME: {"kind": "quiz", "questions": ["01-what-it-does", "01-a"]}},
        {MIME: {"kind": "quiz", "questions": [INVENTORY_ITEM]}},
        {MIME: {"kind": "diagnostic", "form": "A", "questions": [INVENTORY_ITEM]}},
        {MIME: {"kind": "explorer", "name": "shapes", "values": {}}},
        {MIME: {"kind": "measured", "id": "01-a"}, "text/plain": "[nothing]"},
    ],
)
def test_what_needs_a_kernel_is_left_as_it_is(home: Path, data: dict[str, Any]) -> None:
    assert restored(data) is None


def test_a_page_has_each_script_and_the_networks_once(home: Path) -> None:
    two = placeholder(reading_explorer(word="city")) + placeholder(
        reading_explorer("layers", "cab")
    )
    made = assets(two, keeps=False)
    assert made.script.count('"library": {"tags"') == 1
    assert made.script.count("function* influence") == 1 and "bg-choices" not in made.script
    assert '"nets"' not in two
    assert assets("<p>nothing</p>", keeps=True) == ("", "")


@pytest.mark.parametrize(
    ("made", "remembers"),
    [
        (lambda: quiz("01"), True),
        (lambda: quiz("01", deeper=True), True),
        (lambda: warm_up("03"), False),
        (lambda: mixed_test(2, minutes=5), False),
    ],
)
def test_a_quiz_lives_with_its_own_questions_only(home: Path, made: Any, remembers: bool) -> None:
    widget = made()
    widget._answered(None, {"id": widget.questions[0]["id"], "response": [0]}, None)
    again = restored(bundle(widget))
    assert again is not None
    page = placeholder(again)
    values = values_of(again)
    assert [q["id"] for q in values["questions"]] == [q["id"] for q in widget.questions]
    assert (values["states"], values["remember"], values["seconds_left"]) == ({}, remembers, None)
    asked = {q["id"]: bank()[q["id"]] for q in widget.questions}
    assert values["keys"].keys() == {name for name, q in asked.items() if q.kind != "code"}
    assert [q["id"] for q in values["questions"] if "elsewhere" in q] == [
        name for name, q in asked.items() if q.kind == "code"
    ]
    assert not any(name in page for name in bank().keys() - asked.keys())
    assert len(page) < 6_000 * len(asked)


def test_the_inventory_is_on_no_page(home: Path) -> None:
    assert restored(bundle(diagnostic("A"))) is None
    with pytest.raises(ValueError, match="the inventory is on no page"):
        placeholder(diagnostic("A"))


def test_pages_may_share_the_parts_of_the_script(home: Path) -> None:
    page = placeholder(quiz("01")) + placeholder(reading_explorer(word="city"))
    parts = scripts(page, keeps=True)
    assert [*parts] == ["quiz", "reading", "known", "library", "live"]
    assert assets(page, keeps=True).script == "".join(parts.values()).replace(
        "</script", "<\\/script"
    )
    assert scripts("<p>nothing</p>", keeps=True) == {}
    assert "birnn-note" in assets(placeholder(quiz("01")), keeps=True).style
