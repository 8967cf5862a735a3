"""The quiz widget, driven as the browser drives it: by messages."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import KernelManager
from patience import PATIENCE, soon

from birnn_course import diagnostic, quiz
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue
from birnn_course.questions.bank import Question, bank
from birnn_course.questions.showing import markdown
from birnn_course.questions.widget import Quiz
from birnn_course.record import Record

ALL = [question for question in bank().values() if question.unit == "01"]
QUESTIONS = [question for question in ALL if not question.deeper]


@pytest.fixture
def shown(home: Path) -> Quiz:
    return quiz("01")


def answer(shown: Quiz, question: str, response: Any) -> str:
    """Send an answer as the browser does; returns the feedback's HTML."""
    shown._answered(None, {"id": question, "response": response}, None)
    return str(shown.states[question]["html"])


def test_the_browser_gets_neither_key_nor_feedback(shown: Quiz) -> None:
    sent = json.dumps(shown.get_state(), default=str)
    for question in QUESTIONS:
        assert question.id in sent
        for foreseen in question.answers:
            assert foreseen.feedback[:40] not in sent
            if question.kind not in ("one", "several"):
                assert json.dumps(foreseen.text) not in sent
        assert question.worked[:40] not in sent
    assert "right" not in {key for q in shown.questions for o in q.get("options", ()) for key in o}


def test_what_is_stored_holds_no_key(shown: Quiz) -> None:
    answer(shown, "01-what-it-does", [0])  # not even after an answer
    data, _ = shown._repr_mimebundle_()
    assert data["text/plain"] == (
        f"[A quiz with {len(shown.questions)} questions. Run this cell to answer them; what you "
        "answered is kept.]"
    )
    for question in QUESTIONS:
        for foreseen in question.answers:
            assert foreseen.feedback[:40] not in data["text/html"]
    assert "What does a bidirectional RNN do" in data["text/html"]
    assert "<script" not in data["text/html"]


def test_the_core_and_the_deeper_lesson_share_the_questions_of_a_unit(home: Path) -> None:
    asked = [{q["id"] for q in quiz("01", deeper=deeper).questions} for deeper in (False, True)]
    assert not asked[0] & asked[1] and asked[0] | asked[1] == {q.id for q in ALL}
    with pytest.raises(CourseError, match="there is no quiz '02'; there are 01"):
        quiz("02", deeper=True)


def test_nothing_is_selected_at_first(shown: Quiz) -> None:
    assert shown.states == {}


def test_options_are_shuffled_the_same_way_each_time(shown: Quiz) -> None:
    def orders(shown: Quiz) -> list[list[int]]:
        return [[o["position"] for o in q.get("options", ())] for q in shown.questions]

    assert orders(shown) == orders(quiz("01"))
    assert any(order and order[0] != 0 for order in orders(shown))


def test_an_answer_is_judged_told_and_recorded(shown: Quiz) -> None:
    feedback = answer(shown, "01-what-it-does", [1])
    assert "✗ Not yet." in feedback
    assert "a full set for each direction" in feedback
    assert "Step by step" in feedback
    feedback = answer(shown, "01-what-it-does", [0])
    assert "✓ Right." in feedback
    first, second = Record().attempts("01-what-it-does")
    assert (first.points, first.misconception, first.unit) == (0, "fewer-weights", "01")
    assert second.right
    assert second.misconception is None
    assert set(second.probes) == {"fewer-weights", "only-backward"}


def test_a_wrong_answer_names_the_part_that_teaches_it(shown: Quiz) -> None:
    again = "Read again: Part 2 · Two readers (unit 01)"
    assert again in answer(shown, "01-what-it-does", [1])
    assert again not in answer(shown, "01-what-it-does", [0])
    assert "Read again" not in answer(shown, "01-what-it-does", [])
    assert again in answer(shown, "01-by-hand", "torch.cat([from_left, from_right], dim=-1)")
    by_id = {
        q["id"]: q["place"] for deeper in (False, True) for q in quiz("01", deeper=deeper).questions
    }
    assert by_id["01-weights-two-layers"] == "Part 7 · What it costs (unit 01, deeper)"
    assert all(by_id[q.id].startswith(f"{q.part} (unit 01") for q in ALL if q.part)
    elsewhere = replace(ALL[0], id="03-a", unit="03", part="")
    assert elsewhere.place == "unit 03 · Which axis is the batch?"


def test_answers_are_back_after_a_restart(shown: Quiz) -> None:
    answer(shown, "01-what-it-does", [1])
    answer(shown, "01-shape-of-join", "(3, 9, 5)")
    answer(shown, "01-by-hand", "torch.cat([from_left, from_right.flip(1)], dim=-1)")
    again = quiz("01")
    assert again.states["01-what-it-does"] == shown.states["01-what-it-does"]
    assert again.states["01-shape-of-join"]["response"] == "(3, 9, 5)"
    assert "It was right." in again.states["01-by-hand"]["html"]  # and it was not run again


def test_what_cannot_be_read_is_not_recorded(shown: Quiz) -> None:
    assert "Choose an answer first." in answer(shown, "01-what-it-does", [])
    assert "Type a shape as a tuple" in answer(shown, "01-shape-of-join", "dunno")
    assert Record().attempts() == []


def test_code_is_run_and_its_mistake_named(shown: Quiz) -> None:
    feedback = answer(shown, "01-by-hand", "torch.cat([from_left, from_right], dim=-1)")
    assert "still in reading order" in feedback
    assert Record().attempts()[-1].misconception == "unflipped-outputs"
    assert "(joined - target).abs().max() is tensor(" in feedback
    assert "✓ Right." in answer(
        shown, "01-by-hand", "torch.cat((from_left, backward(x.flip(1))[0].flip(1)), 2)"
    )


def test_a_problem_of_ours_is_feedback_and_not_silence(
    shown: Quiz, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the roof is on fire")

    monkeypatch.setattr("birnn_course.questions.widget.judge", broken)
    assert "could not be checked (RuntimeError: the roof is on fire)" in answer(
        shown, "01-what-it-does", [0]
    )


def test_a_record_that_cannot_be_kept_is_told_and_the_quiz_goes_on(home: Path) -> None:
    home.write_text("a file where the folder should be")
    shown = quiz("01")
    feedback = answer(shown, "01-what-it-does", [0])
    assert "✓ Right." in feedback
    assert Record().notice is not None


@pytest.mark.parametrize("question", ALL, ids=lambda q: q.id)
def test_every_foreseen_answer_is_told_its_feedback(home: Path, question: Question) -> None:
    shown = quiz("01", deeper=question.deeper)
    for position, foreseen in enumerate(question.answers):
        if question.kind == "code":
            continue  # run in the test above and by the proofs
        ticks = question.kind in ("one", "several")
        html = answer(shown, question.id, [position] if ticks else foreseen.text)
        assert markdown(foreseen.feedback) in html


@pytest.fixture
def asked(home: Path) -> Quiz:
    return diagnostic("A")


def test_a_diagnostic_notes_and_tells_nothing(asked: Quiz) -> None:
    question = asked.questions[0]["id"]
    assert asked.diagnostic
    asked._answered(None, {"id": question, "response": [1], "sure": True}, None)
    noted = {"response": [1], "sure": True, "mark": "noted", "html": "<p>Noted.</p>"}
    assert asked.states[question] == noted
    (kept,) = Record().attempts()
    assert (kept.item, kept.sure) == (question, True)
    assert diagnostic("A").states == asked.states  # back after a restart


def test_not_knowing_is_not_recorded(asked: Quiz) -> None:
    question = asked.questions[0]["id"]
    asked._answered(None, {"id": question, "response": [-1], "sure": None}, None)
    assert "nothing recorded" in asked.states[question]["html"]
    assert Record().attempts() == []


def test_the_inventory_has_twelve_questions_about_many_units(asked: Quiz) -> None:
    assert len(asked.questions) == 12
    units = {catalogue()[m].unit for q in bank().values() if q.form == "A" for m in q.probes}
    assert units == {"01", "02", "03", "04", "05"}
    assert all(len(q.probes) >= 2 for q in bank().values() if q.form == "A")


def test_an_unknown_form_is_a_sentence(home: Path) -> None:
    with pytest.raises(CourseError, match="there is no form 'C'; there is A and B"):
        diagnostic("C")


def test_an_unknown_unit_is_a_sentence(home: Path) -> None:
    with pytest.raises(CourseError, match="there is no quiz '77'; there are 01"):
        quiz("77")


def test_html_in_a_question_is_shown_and_not_obeyed() -> None:
    assert markdown("<script>alert(1)</script>").startswith("<p>&lt;script&gt;")
    assert markdown("a `b` *c*") == "<p>a <code>b</code> <em>c</em></p>"


ANSWER_MANY = """
from birnn_course import quiz
shown = quiz("01")
with open({log!r}, "w") as acknowledged:
    for i in range({n}):
        shown._answered(None, {{"id": "01-limit", "response": f"{{i}}.{digit}"}}, None)
        assert "Not yet" in shown.states["01-limit"]["html"], shown.states
        print(f"{{i}}.{digit}", file=acknowledged, flush=True)
"""


@pytest.mark.parametrize("n", [120, pytest.param(500, marks=pytest.mark.full)])
def test_two_notebooks_answer_at_once_and_one_kernel_is_killed(
    home: Path, tmp_path: Path, n: int
) -> None:
    logs = {digit: tmp_path / str(digit) for digit in (1, 2)}
    kernels = {digit: KernelManager(kernel_name="python3") for digit in logs}
    clients = {}
    try:
        for digit, kernel in kernels.items():
            kernel.start_kernel()
            clients[digit] = kernel.blocking_client()
            clients[digit].start_channels()
            clients[digit].wait_for_ready(timeout=PATIENCE)
        asked = {
            digit: client.execute(ANSWER_MANY.format(log=str(logs[digit]), n=many, digit=digit))
            for (digit, client), many in zip(clients.items(), (10**9, n), strict=True)
        }
        assert soon(lambda: logs[1].exists() and len(logs[1].read_text().split()) >= n // 3)
        os.kill(kernels[1].provisioner.pid, signal.SIGKILL)
        reply = clients[2].get_shell_msg(timeout=PATIENCE)
        while reply["parent_header"]["msg_id"] != asked[2]:
            reply = clients[2].get_shell_msg(timeout=PATIENCE)
        assert reply["content"]["status"] == "ok"
    finally:
        for digit, kernel in kernels.items():
            clients[digit].stop_channels()
            kernel.shutdown_kernel(now=True)
    acknowledged = {digit: log.read_text().split() for digit, log in logs.items()}
    assert n // 3 <= len(acknowledged[1])  # in the middle, for it would never have ended
    assert len(acknowledged[2]) == n
    record = Record()
    kept = [json.loads(attempt.answer) for attempt in record.attempts("01-limit")]
    assert [a for a in kept if a.endswith(".2")] == acknowledged[2]
    from_killed = [a for a in kept if a.endswith(".1")]
    assert from_killed[: len(acknowledged[1])] == acknowledged[1]
    assert len(from_killed) <= len(acknowledged[1]) + 1
    assert record.notice is None
