"""The quiz for a class, driven as the browser drives it: by messages."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from birnn_course import quiz
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue
from birnn_course.questions import lecture
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Question, bank
from birnn_course.questions.judging import judge
from birnn_course.questions.lecture import MOST_HANDS, REFUSAL, Lecture
from birnn_course.questions.showing import markdown

QUESTIONS = [question for question in bank().values() if not question.form]
KINDS = {question.kind: question for question in QUESTIONS}


@pytest.fixture
def shown(home: Path) -> Any:
    return quiz("03", mode="lecture")


def send(shown: Lecture, question: str, *rounds: list[Any], reveal: bool = True) -> dict[str, Any]:
    """What the browser sends when hands were counted; returns what it gets."""
    shown._counted(None, {"id": question, "rounds": list(rounds), "reveal": reveal}, None)
    return dict(shown.states[question])


def inside(text: str) -> str:
    """A paragraph as HTML, without its tags."""
    return markdown(text).removeprefix("<p>").removesuffix("</p>")


def revealed(shown: Lecture, questions: list[Question]) -> list[str]:
    """What the browser holds that tells an answer."""
    state = {key: value for key, value in shown.get_state().items() if key not in ("_esm", "_css")}
    sent = json.dumps(state, default=str, ensure_ascii=False)
    secrets = [
        (question.id, text)
        for question in questions
        for text in (question.worked, question.mistakes, *(a.feedback for a in question.answers))
    ]
    found = [
        f"{name}: {text}"
        for name, text in secrets
        if any(json.dumps(form, ensure_ascii=False)[1:-1] in sent for form in (text, inside(text)))
    ]
    beyond = {
        key
        for asked in shown.questions
        for option in asked["options"]
        for key in option
        if key not in ("letter", "html")
    }
    return found + sorted(beyond)


@pytest.mark.parametrize("unit", sorted({question.unit for question in QUESTIONS}))
def test_before_an_answer_is_revealed_the_browser_cannot_know_it(home: Path, unit: str) -> None:
    shown = quiz(unit, mode="lecture")
    assert isinstance(shown, Lecture)
    questions = [question for question in QUESTIONS if question.unit == unit]
    first, *others = questions
    send(shown, first.id, [1] * len(first.answers), reveal=False)
    assert revealed(shown, questions) == []
    send(shown, first.id, [1] * len(first.answers))
    assert revealed(shown, [first])  # the check finds what is there
    assert revealed(shown, others) == []
    send(shown, first.id, [None] * len(first.answers), reveal=False)  # asked again
    assert revealed(shown, questions) == []


def test_a_key_among_the_options_would_be_found(
    shown: Lecture, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown.questions = [
        {**asked, "options": [{**option, "right": True} for option in asked["options"]]}
        for asked in shown.questions
    ]
    assert revealed(shown, []) == ["right"]


def test_the_options_stand_in_the_stored_order_and_not_in_the_banks(shown: Lecture) -> None:
    orders = {question.id: shuffled(question) for question in QUESTIONS if question.unit == "03"}
    for asked in shown.questions:
        answers = bank()[asked["id"]].answers
        texts = [answers[position].text for position in orders[asked["id"]]]
        assert [option["letter"] for option in asked["options"]] == list("ABCDEF")[: len(texts)]
        for option, text in zip(asked["options"], texts, strict=True):
            words = re.findall(r"\w+", text)
            assert [w for w in words if w not in option["html"]] == []
    assert any(order[0] != 0 for order in orders.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_option_is_told_its_own_feedback_and_belief(home: Path, kind: str) -> None:
    question = KINDS[kind]
    shown = quiz(question.unit, mode="lecture")
    assert isinstance(shown, Lecture)
    options = send(shown, question.id, [None] * len(question.answers))["answer"]["options"]
    ticking = kind in ("one", "several")
    for option, position in zip(options, shuffled(question), strict=True):
        answer = question.answers[position]
        verdict = judge(question, [position] if ticking else answer.text)
        assert option["right"] == (verdict.points > 0)
        assert ("✓ Right" in option["html"]) == (verdict.points > 0) != ("✗" in option["html"])
        assert markdown(answer.feedback) in option["html"]
        assert answer.feedback in verdict.sentences
        beliefs = [m for m in catalogue().values() if inside(m.belief) in option["html"]]
        assert [belief.id for belief in beliefs] == list(verdict.misconceptions)


def test_a_moved_key_would_be_told(home: Path) -> None:
    question = KINDS["one"]
    moved = question.with_key(question.answers[1])
    shown = Lecture([moved])
    options = send(shown, question.id, [None] * len(question.answers))["answer"]["options"]
    right = [option["right"] for option in options]
    assert right != [position == 0 for position in shuffled(question)]


def test_two_votes_stand_side_by_side_with_hands_and_shares(shown: Lecture) -> None:
    question = bank()["03-cause-of-the-error"]
    order = shuffled(question)
    hands = [order.index(0) == i for i in range(4)]  # the right one is the first of the bank
    first = [6 if right else 8 for right in hands]
    second = [27 if right else 1 for right in hands]
    state = send(shown, question.id, first, second)
    answer = state["answer"]
    assert answer["heads"] == ["First vote: 30 hands", "Second vote: 30 hands"]
    for option, right in zip(answer["options"], hands, strict=True):
        texts = [re.sub("<[^>]*>", "", vote) for vote in option["votes"]]
        assert texts == (["6 (20 %)", "27 (90 %)"] if right else ["8 (27 %)", "1 (3 %)"])
        assert f'style="width: {"20.0" if right else "26.7"}%"' in option["votes"][0]
    letter = "ABCD"[order.index(0)]
    assert state["status"] == (
        f"Right: {letter}. First vote: 30 hands, {letter} 6 (20 %). "
        f"Second vote: 30 hands, {letter} 27 (90 %)."
    )


def test_an_answer_can_be_revealed_without_any_count(shown: Lecture) -> None:
    state = send(shown, "03-cause-of-the-error", [None] * 4, [0, None, 1, None])
    assert state["answer"]["options"][0]["votes"][0] == "<p>Not counted</p>"
    assert state["answer"]["heads"] == ["First vote: 0 hands", "Second vote: 1 hand"]


def test_several_right_options_are_all_marked(home: Path) -> None:
    question = KINDS["several"]
    shown = quiz(question.unit, mode="lecture")
    assert isinstance(shown, Lecture)
    (asked,) = [asked for asked in shown.questions if asked["id"] == question.id]
    assert "Raise a hand for each." in asked["html"]
    state = send(shown, question.id, [10] * len(question.answers))
    assert sum(option["right"] for option in state["answer"]["options"]) == len(question.right)
    assert state["status"].partition(".")[0].count(" and ") == len(question.right) - 1


@pytest.mark.parametrize("bad", [-1, MOST_HANDS + 1, 2.5, "7", True, float("nan")])
def test_what_is_no_count_is_refused_in_one_sentence(shown: Lecture, bad: Any) -> None:
    state = send(shown, "03-cause-of-the-error", [0, MOST_HANDS, None, 5])
    assert state["answer"]
    state = send(shown, "03-cause-of-the-error", [0, 1, bad, 5])
    assert (state["answer"], state["status"]) == (None, REFUSAL)
    assert REFUSAL == "Type a whole number from 0 to 999."


def files_after(home: Path, mode: str) -> list[str]:
    shown: Any = quiz("03", mode=mode)
    if mode == "lecture":
        for question in shown.questions:
            send(shown, question["id"], [3] * len(question["options"]))
    else:
        shown._answered(None, {"id": "03-cause-of-the-error", "response": [0]}, None)
    return sorted(path.name for path in home.rglob("*"))


def test_a_lecture_leaves_the_lecturers_record_alone(home: Path) -> None:
    assert files_after(home, "lecture") == []
    assert not home.exists()
    before = files_after(home, "self")  # which does write, so the check above can fail
    assert before
    written = (home / "record.sqlite3").read_bytes()
    assert files_after(home, "lecture") == before
    assert (home / "record.sqlite3").read_bytes() == written


def test_what_is_stored_is_readable_and_holds_no_key(shown: Lecture) -> None:
    send(shown, "03-cause-of-the-error", [1, 2, 3, 4])
    data, _ = shown._repr_mimebundle_()
    n = len(shown.questions)
    assert data["text/plain"] == f"[A quiz with {n} questions. Run this cell to ask a class.]"
    assert "What is the cause of the error?" in data["text/html"]
    assert "✓" not in data["text/html"]
    for question in (bank()[asked["id"]] for asked in shown.questions):
        assert question.worked[:40] not in data["text/html"]


def test_html_in_a_typed_answer_is_shown_and_not_obeyed(home: Path) -> None:
    question = KINDS["output"]
    wild = dataclasses.replace(question.answers[0], text="<b>1</b>")
    shown = Lecture([dataclasses.replace(question, answers=(wild, *question.answers[1:]))])
    sent = json.dumps(shown.questions)
    assert "<pre><code>&lt;b&gt;1&lt;/b&gt;</code></pre>" in sent
    assert "<b>" not in sent


def test_another_mode_is_one_sentence(home: Path) -> None:
    with pytest.raises(CourseError, match=r"^there is no mode 'exam'; there are 'self' and"):
        quiz("03", mode="exam")
    with pytest.raises(CourseError, match="there is no quiz '77'; there are 01"):
        quiz("77", mode="lecture")


def test_a_lecture_knows_no_record() -> None:
    assert "progress" not in Path(lecture.__file__).read_text(encoding="utf-8")
