"""Quizzes on a page without a kernel: the same verdicts and replies as in a notebook, and kept."""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from playwright.sync_api import Page, expect
from test_live import LINE

from birnn_course.cli import main
from birnn_course.learner.guessing import guess
from birnn_course.learner.mixed import result
from birnn_course.live import placeholder, your_answers
from birnn_course.questions.answering import shuffled
from birnn_course.questions.bank import Answer, Question, practice
from birnn_course.questions.judging import Judgement, Response, judge
from birnn_course.questions.page import ELSEWHERE
from birnn_course.questions.widget import Quiz, _state
from birnn_course.record import Record
from browser.axe import violations
from browser.lab import keep_picture
from browser.quizzes import give
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
    wanted = [[html_of(q, judge(q, typed)) for typed in answers] for q, answers in asked]
    parts = sorted({html for answers in wanted for html, _ in answers})
    written = dict(zip(parts, page.evaluate(WRITTEN, parts), strict=True))
    return [
        f"{question.id}: {typed!r}: {marked} {text[:90]} and not {mark} {html[:90]}"
        for (question, answers), python, shown in zip(asked, wanted, seen, strict=True)
        for typed, (html, mark), (marked, text) in zip(answers, python, shown, strict=True)
        # Here the name of a part is a link, which a notebook cannot have.
        if re.sub(r"</?a\b[^>]*>", "", text) != written[html] or marked != f"birnn-feedback {mark}"
    ]


def test_every_answer_gets_the_reply_that_python_gives(page: Page, tmp_path: Path) -> None:
    asked = [(question, [*responses(question)]) for question in (*ANSWERED, NEAR)]
    assert {question.kind for question in ANSWERED} == {*TICKED, "shape", "number", "output"}
    assert len(ANSWERED) == len(PRACTICE) - sum(q.kind == "code" for q in PRACTICE) > 100
    assert all(
        [position] in typed
        for question, typed in asked
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


# ── A reader ────────────────────────────────────────────────────────────────────────────────────

SHORT = [FIRST[kind] for kind in ("one", "shape", "code")]


def unit_quiz(questions: list[Question] = SHORT) -> str:
    return quiz_of(questions, kind="quiz")


def answer(page: Page, question: Question, right: bool) -> None:
    quiz = page.locator(".birnn-quiz")
    give(quiz, question, right, by_keyboard=True)
    expect(quiz.get_by_role("status")).to_contain_text("✓ Right." if right else "✗ Not yet")


def test_answers_are_back_when_the_page_is(page: Page, tmp_path: Path) -> None:
    live_page(page, tmp_path, parts=unit_quiz())
    for right in (False, True):
        answer(page, SHORT[0], right)
        expect(page.get_by_role("button", name="Check answer")).to_be_focused()
    page.reload()
    expect(page.get_by_role("status")).to_contain_text("✓ Right.")
    kept = json.loads(
        page.evaluate("id => localStorage.getItem(`birnn-answer:${id}`)", SHORT[0].id)
    )
    assert [entry["answer"] == [SHORT[0].answers.index(SHORT[0].right[0])] for entry in kept] == [
        False,
        True,
    ]
    live_page(page, tmp_path, parts=quiz_of(SHORT, kind="warm_up"))  # a review asks anew
    expect(page.get_by_role("status")).to_be_empty()


def test_what_was_kept_of_another_question_is_no_answer(page: Page, tmp_path: Path) -> None:
    live_page(
        page, tmp_path, parts=unit_quiz() + placeholder(guess("01-share", "How many?", **LINE))
    )
    for text in (
        "not json",
        "3",
        '[{"answer": [99], "at": ""}]',
        '[{"answer": "x", "at": ""}]',
        "[null]",
    ):
        page.evaluate(
            """([id, text]) => { localStorage.setItem(`birnn-answer:${id}`, text);
            localStorage.setItem("birnn-guess:01-share", text); }""",
            [SHORT[0].id, text],
        )
        page.reload()
        expect(page.locator(".birnn-quiz").get_by_role("status")).to_be_empty()
        expect(page.locator(".bg-value")).to_have_text("?")


def test_code_waits_in_the_course(page: Page, tmp_path: Path) -> None:
    live_page(page, tmp_path, parts=unit_quiz())
    code = SHORT[2]
    page.locator(".birnn-dot").last.click()
    quiz = page.locator(".birnn-quiz")
    expect(quiz).to_contain_text(code.code.splitlines()[0])
    expect(quiz).to_contain_text(ELSEWHERE)
    expect(quiz.get_by_role("button", name="Check answer")).to_have_count(0)
    quiz.get_by_role("button", name="How it went").click()
    expect(quiz.locator(".birnn-heading")).to_have_text("0 of 2 right")
    expect(quiz).to_contain_text("2 without an answer")
    expect(quiz).to_contain_text("One question needs your own code: it waits in the course.")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_quiz_on_a_phone_stands_in_nobodys_way(page: Page, tmp_path: Path, theme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 1_500})
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    live_page(page, tmp_path, theme, parts=unit_quiz() + your_answers())
    quiz, wider = page.locator(".birnn-quiz"), "document.documentElement.scrollWidth > innerWidth"
    give(quiz, SHORT[0], False, by_keyboard=True)
    expect(quiz).to_contain_text(f"Read again: {SHORT[0].place}")
    expect(quiz).to_contain_text("The answers are in this page, for practice.")
    for name in ("question", "shape", "code", "end"):
        keep_picture(page, f"page-quiz-{name}-{theme}")
        assert violations(page) == [] and not page.evaluate(wider), name
        if name != "end":
            quiz.locator("button", has_text="How it went" if name == "code" else "Next").click()
    expect(quiz).to_contain_text("One idea to repeat: Question 1")
    expect(quiz.locator(".birnn-end li")).to_contain_text(SHORT[0].place)
    assert failed == []


# ── Answers, taken along ────────────────────────────────────────────────────────────────────────


def test_answers_are_taken_along_into_the_record(page: Page, tmp_path: Path, home: Path) -> None:
    asked = placeholder(guess("01-share", "How many?", **LINE))
    live_page(page, tmp_path, parts=unit_quiz() + asked)
    for right in (False, True):
        answer(page, SHORT[0], right)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".bg").get_by_role("status")).to_have_text(
        "Your guess: 51 %. Go on and see."
    )
    live_page(page, tmp_path, parts=your_answers())
    mine = page.locator(".birnn-answers")
    expect(mine).to_contain_text("Unit 01, Reading from both ends: 1 question answered, 1 guess")
    with page.expect_download() as download:
        mine.get_by_role("button", name="Take my answers along").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    expect(mine.get_by_role("status")).to_contain_text(f"birnn progress --import {path.name}")
    read_in = CliRunner().invoke(main, ["progress", "--import", str(path)])
    assert read_in.output.startswith("Read in: 3 answers.\n"), read_in.output
    assert [attempt.right for attempt in Record().attempts(SHORT[0].id)] == [False, True]
    assert guess("01-share", "How many?", **LINE).value == 51


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_answers_are_forgotten_when_asked_twice(page: Page, tmp_path: Path, theme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    live_page(page, tmp_path, theme, parts=unit_quiz() + your_answers())
    page.evaluate("localStorage.setItem('of-another', 'page')")
    mine = page.locator(".birnn-answers")
    expect(mine.get_by_role("button", name="Forget my answers")).to_be_disabled()
    answer(page, SHORT[0], True)
    page.reload()
    forget, stay = (mine.get_by_role("button", name=name) for name in ("Forget my", "No, keep"))
    forget.press("Enter")
    keep_picture(page, f"your-answers-{theme}")
    assert violations(page) == []
    stay.press("Enter")
    expect(forget).to_be_focused()
    page.keyboard.press("Enter")
    expect(mine.get_by_role("button", name="Yes, forget them")).to_be_focused()
    page.keyboard.press("Enter")
    expect(mine.get_by_role("status")).to_have_text("Forgotten.")
    assert page.evaluate("Object.keys(localStorage)") == ["of-another"]


NO_STORE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("refused", "SecurityError"); } })"""
FULL_STORE = """Storage.prototype.setItem = () => {
  throw new DOMException("full", "QuotaExceededError"); }"""
FILLS_UP = """let n = 0; const set = Storage.prototype.setItem;
Storage.prototype.setItem = function (...what) {
  if (++n > 1) throw new DOMException("full", "QuotaExceededError");
  return set.apply(this, what); }"""


@pytest.mark.parametrize(
    "store", [NO_STORE, FULL_STORE, FILLS_UP], ids=["refused", "full", "fills"]
)
def test_a_browser_that_keeps_nothing_says_so_and_goes_on(
    page: Page, tmp_path: Path, store: str
) -> None:
    page.add_init_script(store)
    parts = placeholder(guess("01-share", "How many?", **LINE)) + unit_quiz() + your_answers()
    live_page(page, tmp_path, parts=parts)
    for right in (False, True):
        answer(page, SHORT[0], right)
    gone = "This browser keeps nothing for this page: what you answer is gone when you close it."
    expect(page.locator(".birnn-quiz .birnn-note")).to_contain_text(gone)
    page.get_by_role("slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".bg .birnn-note")).to_have_text(gone)
    page.reload()
    expect(page.locator(".birnn-quiz").get_by_role("status")).to_be_empty()


# ── A review and a test ─────────────────────────────────────────────────────────────────────────


def test_a_test_on_a_page_tells_the_score_that_python_tells(page: Page, tmp_path: Path) -> None:
    asked = [FIRST[kind] for kind in ("one", "several", "shape", "code")]
    parts = quiz_of(asked, kind="mixed_test", number=1, minutes=5)
    several = [i for i, option in enumerate(asked[1].answers) if option.right][:1]
    right, wrong = ([asked[0].answers.index(a)] for a in (asked[0].right[0], asked[0].answers[1]))
    for first, last in itertools.product((right, wrong), (asked[2].right[0].text, "(1, 2)")):
        typed: list[Response] = [first, several, last]
        live_page(page, tmp_path, parts=parts)
        expect(page.get_by_role("timer")).to_be_empty()
        page.evaluate(ANSWER, [[answer] for answer in typed])
        page.evaluate(ANSWER, [[right]])  # the first answer counts
        points = {q.id: judge(q, r).points for q, r in zip(asked, typed, strict=False)}
        status = page.get_by_role("status")
        expect(status).to_contain_text(result(asked[:3], points))
        page.locator(".birnn-dot").first.click()
        expect(status).to_contain_text("of 3 points.")
