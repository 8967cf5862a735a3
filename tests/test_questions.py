"""Every question's key is what a run says, and no other key would pass."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from birnn_course.course import UNITS
from birnn_course.errors import CourseError
from birnn_course.questions.bank import Answer, Question, bank, parse
from birnn_course.questions.judging import judge, read_number, read_shape
from birnn_course.questions.proof import prove

QUESTIONS = list(bank().values())


def moved_keys(question: Question) -> list[Question]:
    """The question with its key moved to every other answer in turn."""
    wrong = [answer for answer in question.answers if not answer.right]
    return [question.with_key(answer, *question.right[1:]) for answer in wrong]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.id)
def test_the_key_is_what_a_run_says(question: Question) -> None:
    found = prove(question)
    assert not found, "\n".join(found)


def test_moving_the_key_anywhere_is_noticed() -> None:
    moved = [other for question in QUESTIONS for other in moved_keys(question)]
    unnoticed = [f"{other.id}, key {other.right[0].text!r}" for other in moved if not prove(other)]
    n = len(moved)
    print(f"moved keys noticed: {n - len(unnoticed)} of {n}, in {len(QUESTIONS)} questions")
    assert not unnoticed, "\n".join(unnoticed)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.number)
def test_every_unit_has_enough_questions(unit: Any) -> None:
    n = sum(question.unit == unit.number for question in QUESTIONS)
    assert n == 0 or n >= 10


GOOD: dict[str, Any] = {
    "id": "01-x",
    "kind": "one",
    "text": "How much is 1 + 1?",
    "proof": "result = 1 + 1",
    "answers": [
        {"text": "two", "right": True, "value": 2, "feedback": "Yes."},
        {"text": "three", "right": False, "value": 3, "feedback": "One less."},
        {"text": "four", "right": False, "value": 4, "feedback": "Two less."},
    ],
    "worked": "Count.",
    "quick": "1 + 1",
    "mistakes": "None known.",
}


def changed(path: str, value: Any) -> dict[str, Any]:
    entry = copy.deepcopy(GOOD)
    *parents, last = path.split(".")
    node: Any = entry
    for part in parents:
        node = node[int(part)] if part.isdigit() else node[part]
    node[last] = value
    return entry


def test_the_smallest_good_question_is_accepted() -> None:
    assert prove(parse(GOOD, "01")) == []


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        ("answers.1.feedback", " ", "'three' has no feedback"),
        ("answers.1.right", True, "needs one right answer and has 2"),
        ("answers.0.right", False, "needs one right answer and has 0"),
        ("proof", "", "has no proof"),
        ("worked", "", "has no worked"),
        ("quick", "", "has no quick"),
        ("mistakes", "", "has no mistakes"),
        ("answers.1.misconception", "no-such", "there is no misconception no-such"),
        ("answers.1.holds", "result == 3", "needs a value or holds"),
        ("answers.0.misconception", "exactly-double", "shows a misconception"),
        ("answers.1.text", "two", "two answers read the same"),
        ("kind", "essay", "kind must be one of"),
        ("kind", "several", "at least two right options"),
        ("kind", "code", "has no code"),
        ("kind", "shape", "has no otherwise"),
        ("id", "02-x", "must start with 01-"),
        ("colour", "red", "colour"),
    ],
)
def test_a_bad_question_is_refused_in_a_sentence(path: str, value: Any, sentence: str) -> None:
    with pytest.raises(CourseError, match=r"question 0[12]-x: ") as caught:
        parse(changed(path, value), "01")
    assert sentence in str(caught.value)


def test_two_questions_with_one_id_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "birnn_course.questions.bank.files.read_yaml",
        lambda path: [GOOD, GOOD] if path.name == "01.yaml" else [],
    )
    bank.cache_clear()
    with pytest.raises(CourseError, match="two questions are called 01-x"):
        bank()
    bank.cache_clear()


def test_an_answer_that_nothing_decides_is_refused() -> None:
    entry = copy.deepcopy(GOOD)
    del entry["answers"][1]["value"]
    with pytest.raises(CourseError, match="'three' needs a value or holds"):
        parse(entry, "01")


def test_a_proof_that_decides_nothing_is_told_in_a_sentence() -> None:
    assert "leaves no result" in prove(parse(changed("proof", "x = 2"), "01"))[0]
    entry = copy.deepcopy(GOOD)
    del entry["answers"][1]["value"]
    entry["answers"][1]["holds"] = "resutl == 3"
    assert "'three' cannot be decided (NameError" in prove(parse(entry, "01"))[0]


def test_a_missing_field_is_named() -> None:
    entry = copy.deepcopy(GOOD)
    del entry["worked"]
    with pytest.raises(CourseError, match="'worked'"):
        parse(entry, "01")


def several(n_right: int, n_wrong: int) -> Question:
    answers = tuple(Answer(str(i), i < n_right, f"feedback {i}") for i in range(n_right + n_wrong))
    return Question("01-s", "01", "several", "?", answers, "w", "q", "m", proof="x")


@pytest.mark.parametrize("n_right", range(2, 6))
@pytest.mark.parametrize("n_wrong", range(1, 6))
def test_points_for_several_options_cannot_be_gamed(n_right: int, n_wrong: int) -> None:
    question = several(n_right, n_wrong)
    everything = range(n_right + n_wrong)
    assert judge(question, list(range(n_right))).points == 1
    assert judge(question, list(everything)).points == 0
    assert judge(question, []).points == 0
    generator = torch.Generator().manual_seed(0)
    for _ in range(30):
        ticked = torch.rand(n_right + n_wrong, generator=generator) < 0.5
        chosen = ticked.nonzero().flatten().tolist()
        points = judge(question, chosen).points
        assert 0 <= points <= 1
        assert (points == 1) == (chosen == list(range(n_right)))
        # one more wrong option never adds points, one more right option never costs any
        for extra in set(everything) - set(chosen) if chosen else ():
            more = judge(question, [*chosen, extra]).points
            assert more >= points if extra < n_right else more <= points
        assert judge(question, chosen * 2).points == points


def test_a_tick_tells_its_feedback_and_its_misconception() -> None:
    question = bank()["01-what-it-does"]
    verdict = judge(question, [1])
    assert (verdict.points, verdict.misconceptions) == (0, ("fewer-weights",))
    assert verdict.sentences == (question.answers[1].feedback,)
    assert judge(question, [0]).right
    assert not judge(question, []).readable


def test_right_so_far_is_said() -> None:
    assert "something is missing" in judge(several(2, 2), [0]).sentences[-1]


TYPED = [question for question in QUESTIONS if question.kind in ("shape", "number", "output")]


@pytest.mark.parametrize("question", TYPED, ids=lambda q: q.id)
def test_typed_answers_meet_their_feedback(question: Question) -> None:
    for answer in question.answers:
        verdict = judge(question, answer.text)
        assert verdict.right == answer.right
        assert verdict.sentences == (answer.feedback,)
    assert judge(question, "987654" if question.kind != "shape" else "(9, 9)").sentences == (
        question.otherwise,
    )


def test_what_cannot_be_read_is_no_attempt() -> None:
    assert not judge(bank()["01-shape-of-join"], "four by seven").readable
    assert not judge(bank()["01-limit"], "a lot").readable
    assert not judge(bank()["01-by-hand"], "  ").readable


@pytest.mark.parametrize(
    "text", ["(4, 7, 6)", "4,7,6", "[4, 7, 6]", "4 7 6", "4x7x6", "torch.Size([4, 7, 6])"]
)
def test_shapes_as_people_type_them(text: str) -> None:
    assert read_shape(text) == (4, 7, 6)


@pytest.mark.parametrize("text", ["", "()", "(4, -7)", "(4.5, 2)", "abc"])
def test_what_is_no_shape(text: str) -> None:
    assert read_shape(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.5", 0.5),
        (".5", 0.5),
        ("1/2", 0.5),
        ("50 %", 0.5),
        ("−3", -3),
        ("x", None),
        ("1/0", None),
    ],
)
def test_numbers_as_people_type_them(text: str, value: float | None) -> None:
    assert read_number(text) == value


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("2,5", "Write the decimals behind a point: 2.5"),
        (" -0,25 % ", "Write the decimals behind a point: -0.25 %"),
        (",5", "Write the decimals behind a point: .5"),
        ("1,2,3", "Type a number, like 0.25 or 3."),
        ("two", "Type a number, like 0.25 or 3."),
    ],
)
def test_what_is_no_number_is_told_how_to_write_it(typed: str, sentence: str) -> None:
    number = next(question for question in bank().values() if question.kind == "number")
    judgement = judge(number, typed)
    assert not judgement.readable
    assert judgement.sentences == (sentence,)
