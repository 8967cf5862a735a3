"""Quizzes on a page without a kernel: the same verdicts and replies as in a notebook, and kept."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from birnn_course.live import placeholder
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Answer, Question, practice
from birnn_course.questions.judging import Judgement, Response, judge
from birnn_course.questions.widget import Quiz, _state
from browser.shown import first_of_each_kind
from browser.test_live import live_page

pytestmark = pytest.mark.browser

PRACTICE = practice()
ANSWERED = [question for question in PRACTICE if question.kind != "code"]
TICKED = ("one", "several")
# What people type: numbers, shapes and neither, in right and wrong forms.
FORMS = (
    "", " ", "words", "2,5", "-0,25 %", "−,5", "(3, 7,8)", "(3,7,8", "3x7x8", "3×7×8", "3 7 8",
    "[3]", "3,", "torch.Size([4, 7, 6])", " torch.Size((4, 7, 6)) ", "torch.Size([4, 7, 6]",
    "(4; 7)", "(4.0, 7)", "()", "(-1, 2)", "(007, 2)", "9" * 15, "9" * 16, "9" * 5_000, "1/2",
    "1 / 4", "1/0", "0/0", "1/2/3", "/2", "1/", "50 %", "50%%", "%", "5 0", ".5", "5.", ".",
    "+.5", "--1", "−1", "1e2", "1e400", "-1e400/1e400", "1e-400", "1_000", "1__0", "_1", "1_",
    "1_.5", "inf", "-Infinity", "nan", "0x10", "1,000.5", "1.000,5", "٣", "４", "（4, 7, 6）",
    "𝟙𝟚", "\ufeff3", "3\u00a0", "\u00853", "\u20033", "1\u00a0/\u00a04", "½", "3²", "<b>3</b>",
    "&amp;", "<img src=x onerror=alert(1)>", "None", "True", "true", "NaN %", "1e1_0", "1e",
    "e1", "{}", "$&,5", "1,2,",
)  # fmt: skip
LINES = (
    "True\nFalse",
    "True\n\n",
    " True \n False ",
    "True \nFalse\t",
    "True False",
    "true\nfalse",
    "\nTrue\nFalse\n\n",
    "[1,3]",
)


FIRST = first_of_each_kind()
# Two answers within each other's tolerance, of which the wrong one may be nearer.
NEAR = replace(
    FIRST["number"],
    id="01-near",
    tolerance=0.02,
    answers=(
        Answer("0.51", False, "This is near."),
        Answer("0.5", True, "Yes."),
        Answer("0.75", False, "This is far."),
    ),
)


def responses(question: Question) -> Iterator[Response]:
    """Every option and every set of them, or what is right, near and wrong in a field."""
    if question.kind in TICKED:
        every = shuffled(question)  # as the page sends them
        most = len(every) if question.kind == "several" else 1
        for n in range(most + 1):
            yield from map(list, itertools.combinations(every, n))
        return
    if question in (*FIRST.values(), NEAR):
        yield from FORMS
    yield from ("", "words", "2,5", "(3, 7,8)")
    for answer in question.answers:
        text = answer.text
        yield from (
            text,
            f"  {text} ",
            text.replace(".", ","),
            text.strip("()"),
            f"{text}0",
            text[1:],
        )
        if question.kind == "number":
            value, off = float(text), question.tolerance
            for by in (off, -off, off / 2, off + 1e-9, off - 1e-9, 2 * off, 1e-13, 1):
                yield repr(value + by)
            yield from (f"{100 * value!r} %", f"{value!r}/1", f"{2 * value!r} / 2", f"{value:e}")
    if question.kind == "output":
        yield from LINES


def generated(n: int, seed: int = 0) -> list[str]:
    """Texts of the signs that numbers and shapes have, and of some that they have not."""
    draw = random.Random(seed)
    signs = [
        *"0123456789.,()[]/%-−+e_x× \t",
        "inf",
        "nan",
        "torch.Size(",
        ")",
        "\u00a0",
        "\u0085",
        "\x1c",
        "٣",
        "a",
    ]
    few = [*"12.,/%- ()"]
    return [
        "".join(draw.choices(draw.choice([signs, few]), k=draw.randint(1, 9))) for _ in range(n)
    ]


def quiz_of(questions: list[Question], **described: Any) -> str:
    return placeholder(Quiz(questions, remember=False, described=described))


# Answers as a reader does, through the form, and gives what is then seen of it.
ANSWER = """questions => {
  const panel = document.querySelector(".birnn-quiz");
  const dots = [...panel.querySelectorAll(".birnn-dot")];
  return questions.map((responses, at) => {
    dots[at].click();
    const form = panel.querySelector("form");
    const feedback = panel.querySelector(".birnn-feedback");
    return responses.map((response) => {
      const field = form.querySelector("input[type=text], textarea");
      if (field) field.value = response;
      else for (const input of form.querySelectorAll("input")) {
        input.checked = response.includes(Number(input.value));
      }
      form.requestSubmit();
      return [feedback.className, feedback.innerHTML];
    });
  });
}"""
# HTML as the browser writes it, to compare it with what the browser shows.
WRITTEN = """parts => parts.map((html) => {
  const node = document.createElement("div"); node.innerHTML = html; return node.innerHTML; })"""


_shown: dict[tuple[str, Judgement], tuple[str, str]] = {}


def html_of(question: Question, judgement: Judgement) -> tuple[str, str]:
    """What Python shows of an answer, and its mark."""
    known = (question.id, judgement)
    if known not in _shown:
        state = _state(question, "", judgement)
        _shown[known] = (state["html"], state.get("mark", ""))
    return _shown[known]


def differences(page: Page, asked: Sequence[tuple[Question, Sequence[Response]]]) -> list[str]:
    """Where the page says something else than Python."""
    seen = page.evaluate(ANSWER, [answers for _, answers in asked])
    wanted = [[html_of(q, judge(q, given)) for given in answers] for q, answers in asked]
    parts = sorted({html for answers in wanted for html, _ in answers})
    written = dict(zip(parts, page.evaluate(WRITTEN, parts), strict=True))
    return [
        f"{question.id}: {given!r}: {marked} {text[:90]} and not {mark} {html[:90]}"
        for (question, answers), told, shown in zip(asked, wanted, seen, strict=True)
        for given, (html, mark), (marked, text) in zip(answers, told, shown, strict=True)
        if text != written[html] or marked != f"birnn-feedback {mark}"
    ]


def test_every_answer_gets_the_reply_that_python_gives(page: Page, tmp_path: Path) -> None:
    asked = [(question, [*responses(question)]) for question in (*ANSWERED, NEAR)]
    assert {question.kind for question in ANSWERED} == {*TICKED, "shape", "number", "output"}
    assert len(ANSWERED) == len(PRACTICE) - sum(q.kind == "code" for q in PRACTICE) > 100
    assert all(
        [position] in given
        for question, given in asked
        if question.kind in TICKED
        for position in range(len(question.answers))
    )
    live_page(page, tmp_path, parts=quiz_of([q for q, _ in asked]), keeps=False)
    assert differences(page, asked) == []


def test_a_thousand_typed_texts_are_read_as_python_reads_them(page: Page, tmp_path: Path) -> None:
    asked = [FIRST["shape"], NEAR, FIRST["output"]]
    live_page(page, tmp_path, parts=quiz_of(asked), keeps=False)
    typed = generated(1_000)
    assert differences(page, [(question, typed) for question in asked]) == []


PLANTED = (
    ("hits / right", "hits / key.answers.length"),
    ("behind a point", "behind a dot"),
    ("key.tolerance + 1e-12", "key.tolerance"),
    ("{1,15}", "{1,16}"),
    ("b.right - a.right || ", ""),
    ("(?:_?[0-9])*", "[0-9]*"),
    ('right ? "" : key.again', '""'),
    ("\\\\x85", ""),
    (".map(trimmedEnd)", ""),
)


def test_a_planted_difference_is_found(page: Page, tmp_path: Path) -> None:
    few = [FIRST[kind] for kind in ("several", "shape", "output")]
    asked = [(question, [*responses(question)]) for question in (*few, NEAR)]
    parts = quiz_of([question for question, _ in asked])
    for planted in PLANTED:
        live_page(page, tmp_path, parts=parts, keeps=False, planted=planted)
        assert differences(page, asked) != [], planted
