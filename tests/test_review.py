"""What is asked again, and when; and the terminal that asks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from birnn_course.cli import main
from birnn_course.course import PROJECT, UNITS
from birnn_course.errors import CourseError
from birnn_course.learner.review import choose, warm_up
from birnn_course.learner.route import route
from birnn_course.learner.summary import describe
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Question, bank
from birnn_course.record import Attempt, Record, misconception_states, record

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
PRACTICE = [question for question in bank().values() if not question.form]
LEARNERS_MISTAKE = "more-training-helps"  # probed by three questions


def answered(
    item: str, hours: float, *, right: bool, misconception: str | None = None, sure: bool = False
) -> Attempt:
    question = bank()[item]
    return Attempt(
        item=item,
        kind="question",
        unit=question.unit,
        points=float(right),
        max_points=1.0,
        answer="[0]",
        probes=question.probes,
        misconception=misconception,
        sure=sure,
        at=START + timedelta(hours=hours),
    )


def test_a_new_learner_is_asked_the_first_questions() -> None:
    assert [q.id for q in choose([], 3, START)] == [q.id for q in PRACTICE[:3]]


def test_an_open_misconception_comes_first_with_another_question() -> None:
    missed = answered("01-limit", 0, right=False, misconception=LEARNERS_MISTAKE, sure=True)
    first = choose([missed], 5, START)[0]
    assert LEARNERS_MISTAKE in first.probes
    assert first.id != "01-limit"


def test_over_three_days_a_misconception_is_overcome() -> None:
    """A learner who misses one question twice, and then answers right whatever is asked."""
    record = [
        answered("01-limit", 0, right=False, misconception=LEARNERS_MISTAKE),
        answered("01-limit", 1, right=False, misconception=LEARNERS_MISTAKE),
    ]
    asked = []
    for day in (1, 2, 3):
        questions = choose(record, 3, START + timedelta(days=day))
        state = misconception_states(record)[LEARNERS_MISTAKE]
        about_it = [q.id for q in questions if LEARNERS_MISTAKE in q.probes]
        if state == "open":
            assert questions[0].id == about_it[0] != "01-limit"
        asked.append((state, questions[0].id))
        record += [answered(q.id, 24 * day, right=True) for q in questions]
    assert [state for state, _ in asked] == ["open", "open", "overcome"]
    assert asked[0][1] != asked[1][1]  # day two asks by yet another question


def test_where_only_two_questions_probe_it_both_are_asked() -> None:
    """The missed one comes back once the other was right, or it could never be overcome."""
    one, other = (q.id for q in PRACTICE if "unflipped-outputs" in q.probes or q.id == "01-limit")
    fake = [replace(bank()[item], answers=bank()["01-by-hand"].answers) for item in (one, other)]
    record = [answered(one, 0, right=False, misconception="unflipped-outputs", sure=True)]
    record += [answered(one, 1, right=False, misconception="unflipped-outputs", sure=True)]
    for day, expected in ((1, other), (2, one)):
        asked = choose(record, 1, START + timedelta(days=day), among=fake)[0].id
        assert asked == expected
        record.append(answered(asked, 24 * day, right=True))
    probes = ("unflipped-outputs",)
    record = [replace(attempt, probes=probes) for attempt in record]
    assert misconception_states(record)["unflipped-outputs"] == "overcome"


def test_the_misconception_shown_last_comes_first() -> None:
    record = [
        answered(
            "01-weights-two-layers", 0, right=False, misconception="exactly-double", sure=True
        ),
        answered("01-limit", 1, right=False, misconception=LEARNERS_MISTAKE, sure=True),
        answered("01-last-step", 2, right=False, misconception="last-step-readout", sure=True),
    ]
    probes = [q.probes for q in choose(record, 3, START + timedelta(hours=3))]
    wanted = ("last-step-readout", LEARNERS_MISTAKE, "exactly-double")
    assert all(mine in probed for mine, probed in zip(wanted, probes, strict=True))


def test_what_is_due_comes_before_what_is_new_and_what_is_not_due_does_not_come() -> None:
    record = [
        answered("01-constructor", 0, right=False),
        answered("01-last-step", 0, right=True),
    ]
    soon = {q.id for q in choose(record, 20, START + timedelta(hours=1))}
    assert not soon & {"01-constructor", "01-last-step"}
    next_day = [q.id for q in choose(record, 20, START + timedelta(hours=25))]
    assert next_day[0] == "01-constructor"  # missed, so it is due first
    assert "01-last-step" not in next_day
    later = [q.id for q in choose(record, 20, START + timedelta(days=60))]
    assert later[:2] == ["01-constructor", "01-last-step"]
    assert len(later) == len(set(later)) == 20


def birnn(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=typed)


def letters(question: Question) -> str:
    order = shuffled(question)
    return " ".join("abcdef"[order.index(i)] for i, a in enumerate(question.answers) if a.right)


def test_review_in_the_terminal(home: Path) -> None:
    first, second = PRACTICE[:2]
    wrong = "b" if letters(second) != "b" else "a"
    result = birnn("review", "--number", "2", typed=f"{letters(first)}\n9\n{wrong}\n")
    assert result.exit_code == 0, result.output
    assert "1 of 2" in result.output
    assert "Right." in result.output
    assert "Type one of the letters" in result.output
    assert "Not yet." in result.output
    assert "Step by step" in result.output
    assert "Read again: " in result.output
    assert [a.right for a in Record().attempts()] == [True, False]


def test_an_empty_line_or_the_end_of_input_stops(home: Path) -> None:
    for typed in ("\n", ""):
        result = birnn("review", typed=typed)
        assert (result.exit_code, Record().attempts()) == (0, [])
        assert "2 of" not in result.output


def typed_kinds() -> list[Question]:
    return [q for q in PRACTICE if q.kind in ("shape", "number", "output", "several")]


@pytest.mark.parametrize("question", typed_kinds(), ids=lambda q: q.id)
def test_every_kind_can_be_answered_in_the_terminal(
    question: Question, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("birnn_course.learner.review.choose", lambda *_: [question])
    text = letters(question) if question.kind == "several" else question.right[0].text
    result = birnn("review", typed=f"{text.strip()}\n\n")
    assert "Right." in result.output, result.output
    assert Record().attempts()[0].right


def test_nothing_due_is_said(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birnn_course.learner.review.choose", lambda *_: [])
    assert "Nothing is due" in birnn("review").output


def test_progress_tells_where_one_stands() -> None:
    exercises = {"read_both_ways": "01"}
    assert describe([], exercises).splitlines()[-1] == "Next: 00_start_here.ipynb, with birnn lab."
    record = [
        answered("01-what-it-does", 0, right=True),
        answered("01-limit", 1, right=False, misconception=LEARNERS_MISTAKE, sure=True),
    ]
    text = describe(record, exercises)
    n = sum(question.unit == "01" for question in bank().values())
    counted = f"1 of {n} questions right (2 answered), 0 of 1 exercises passed"
    assert f"• 01  Reading from both ends: {counted}\n" in text
    assert "Shown and open:\n  more-training-helps: A left-to-right model" in text
    assert text.endswith("Next: birnn review asks about the open ones.")
    everything = [answered(item, 2, right=True) for item in bank()]
    assert "Next: 08_final_project.ipynb" in describe(everything, {})
    everything.append(replace(everything[0], item=PROJECT, kind="exercise", unit="08"))
    assert "Next: birnn review, from time to time." in describe(everything, {})


def test_the_inventory_is_not_practised() -> None:
    item = next(q.id for q in bank().values() if q.form)
    record = [answered(item, 0, right=False)]
    later = START + timedelta(days=90)
    assert [q.id for q in choose(record, len(PRACTICE) + 1, later)] == [q.id for q in PRACTICE]


def test_the_route_names_what_to_slow_down_for() -> None:
    assert "0 of 12 questions answered.\nNothing is known of what you believe" in repr(route([]))
    item = "00-two-final-states"
    record = [answered(item, 0, right=False, misconception="last-step-readout")]
    text = repr(route(record))
    first = "1 of 12 questions answered (I don't know yet is not counted).\n"
    assert text.startswith(f"{first}Take your time for unit 01 · Reading")
    assert "one of your answers points there" in text
    assert "summarises" not in text  # which belief it is would tell what was wrong
    assert text.endswith("4 answers say more.\nNext: 01_bidirectional.ipynb")


def test_the_map_marks_what_to_slow_down_for_and_opens_lessons() -> None:
    wrong = answered("00-two-final-states", 0, right=False, misconception="last-step-readout")
    shown = route([wrong])._repr_html_()
    assert shown.count("<li") == len(UNITS) - 1
    assert shown.count("Take your time.") == shown.count("class=slow") == 1
    assert all(f'href="{unit.lesson}"' in shown for unit in UNITS[1:])
    assert "Take your time" not in route([])._repr_html_()


def test_the_export_is_written_without_answers(home: Path, tmp_path: Path) -> None:
    Record().add(answered("01-limit", 0, right=False, misconception=LEARNERS_MISTAKE))
    result = birnn("progress", "--export", str(tmp_path / "out.json"))
    assert result.exit_code == 0, result.output
    text = (tmp_path / "out.json").read_text()
    assert "01-limit" in text
    assert '"answer"' not in text
    refused = birnn("progress", "--export", str(tmp_path / "out.json" / "x"))
    assert refused.exit_code == 1
    assert "cannot write" in refused.output


def test_lecturers_get_key_and_proof() -> None:
    questions = json.loads(birnn("quiz", "--json", "01").output)
    assert len(questions) == sum(question.unit == "01" for question in PRACTICE)
    assert {"text", "answers", "proof"} <= set(questions[0])
    refused = birnn("quiz", "--json", "77")
    assert refused.exit_code == 1
    assert "there are for 00, 01" in refused.output


def test_a_unit_opens_with_three_questions_from_earlier_ones(home: Path) -> None:
    first = [shown["id"] for shown in warm_up("02").questions]
    assert len(first) == 3
    assert all(item.startswith("01-") for item in first)
    for item in first:
        record().add(replace(answered(item, 0, right=True), at=datetime.now(UTC)))
    quiz = warm_up("02")
    assert not {shown["id"] for shown in quiz.questions} & set(first)
    assert quiz.states == {}
    with pytest.raises(CourseError, match="begins with unit 02"):
        warm_up("01")


def test_what_was_never_asked_comes_from_the_nearest_unit_first(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = [question for question in bank().values() if question.unit == "01"][:2]
    fake = {"01-a": one, "01-b": other, "02-a": replace(one, id="02-a", unit="02")}
    fake["01-a"], fake["01-b"] = replace(one, id="01-a"), replace(other, id="01-b")
    monkeypatch.setattr("birnn_course.questions.bank.bank", lambda: fake)
    assert [q["id"] for q in warm_up("03").questions] == ["02-a", "01-a", "01-b"]


def test_progress_does_not_tell_which_answers_of_the_inventory_were_right() -> None:
    form = [question for question in bank().values() if question.form == "A"]
    for right in (True, False):
        record = [answered(question.id, 0, right=right) for question in form]
        text = describe(record, {})
        assert "✓ 00  Start here: 12 of 12 questions answered" in text
        assert "Next: 01_bidirectional.ipynb" in text
