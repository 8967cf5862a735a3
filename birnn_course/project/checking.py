"""``check_project``: the held-out score, and what the probes say about the learner's functions."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from birnn_course.course import PROJECT
from birnn_course.errors import CourseError
from birnn_course.exercises.spec import Arguments
from birnn_course.findings import Finding
from birnn_course.metrics import Scores
from birnn_course.project import choosing, predicting, scoring
from birnn_course.project.answers import WordSet, judged_words, scores_of, validation_words
from birnn_course.project.caller import NAMES, Caller, Name, here
from birnn_course.project.contract import BrokenError
from birnn_course.project.report import Part, ProjectReport
from birnn_course.project.rubric import (
    BASELINES,
    CHOOSE_POINTS,
    HELD_OUT,
    PROBE_POINTS,
    SCORE_POINTS,
    held_out_points,
)
from birnn_course.record import Attempt, record
from birnn_course.running.calling import Outcome


def check_project(
    predict: Callable[..., Any] | None = None,
    score: Callable[..., Any] | None = None,
    choose: Callable[..., Any] | None = None,
    *,
    test: bool = False,
) -> ProjectReport:
    """Check the three functions of the final project.

    ``predict`` tags the validation words, or in the end the 3,000 test words, whose right tags stay
    in here. All three functions are asked what their answers depend on. Whatever they do, this
    returns normally; the notebook's random numbers are as before.

    Parameters
    ----------
    predict, score, choose : callable
        As the notebook says; a function that is missing is not attempted.
    test : bool
        Open the test words. Do that once: who looks at their score again and again chooses by it.

    Returns
    -------
    ProjectReport
        As the last line of a cell it is shown; ``save`` writes it to a file.
    """
    handed_in = dict(zip(NAMES, (predict, score, choose), strict=True))
    functions: dict[Name, Callable[..., Any]] = {}
    for name, function in handed_in.items():
        if function is not None and not callable(function):
            return ProjectReport(
                sentence=f"`{name}` is no function; hand it in as `check_project(predict, score, "
                "choose)`, without calling it."
            )
        functions[name] = function or _missing
    try:
        report = probe_project(here(functions), judged_words() if test else validation_words())
    except CourseError as error:
        return ProjectReport(sentence=f"The check cannot run: {error}")
    except Exception as error:
        # Not the functions, whose exceptions end up in the report.
        return ProjectReport(
            sentence=f"The check itself cannot run here ({type(error).__name__}). Something it "
            "needs was changed: restart the kernel and run the notebook from the top."
        )
    if report.attempted:
        _record(report)
    return report


def _missing(*_: object) -> None:
    """Stands for a function that was not handed in."""


def probe_project(caller: Caller, tested: WordSet, seed: int = 0) -> ProjectReport:
    """Judge the functions behind a caller; shows and records nothing.

    Parameters
    ----------
    caller : callable
        Calls the learner's functions, in this process or another.
    tested : WordSet
        The words that ``predict`` is tested on.
    seed : int
        Draws the cases for ``score`` and ``choose``.
    """
    printed: dict[str, str] = {}

    def noting(name: Name, arguments: Arguments, seed: int) -> Outcome:
        outcome = caller(name, arguments, seed)
        printed.setdefault(name, outcome.printed)
        return outcome

    held_out, scores = _held_out(noting, tested)
    parts = [
        held_out,
        _predict(noting, tested, held_out, scores),
        _all_or_nothing("`score`", SCORE_POINTS, noting, "score", seed),
        _all_or_nothing("`choose`", CHOOSE_POINTS, noting, "choose", seed),
    ]
    macro = None if scores is None else scores.average()
    return ProjectReport(tuple(parts), macro, printed="".join(printed.values()))


def _held_out(caller: Caller, tested: WordSet) -> tuple[Part, Scores | None]:
    title, most = f"{tested.name} words", HELD_OUT[-1][1]
    asked = f"What is macro-F1 on {len(tested.words):,} words?"
    try:
        predicted = predicting.predict_all(predicting.Predictor(caller), tested.letters)
    except BrokenError as error:
        if error.empty:
            return Part(title, 0, most, attempted=False), None
        broken = Finding("held-out", "problem", error.sentence, error.misconception, question=asked)
        return Part(title, 0, most, (broken,)), None
    scores = scores_of(predicted, tested.tags)
    macro = scores.average()
    points = held_out_points(macro)
    right = sum(bool((p == t).all()) for p, t in zip(predicted, tested.tags, strict=True))
    words = len(tested.words)
    above = [b for b in BASELINES if b.macro_f1 < macro]
    seen = f"Macro-F1 {macro:.3f}; accuracy {scores.accuracy:.3f}; {right / words:.0%} of the words"
    finding = Finding(
        "held-out",
        "ok" if points else "problem",
        f"{seen} wholly right. F1 of each tag: "
        + ", ".join(f"{f:.2f}" for f in scores.f1.nan_to_num(0.0).tolist())
        + ".",
        question=asked,
    )
    nearest = f"Above the baseline “{above[-1].name}”. " if above else "Above no baseline. "
    steps = ", ".join(f"{least:.2f} for {p}" for least, p in HELD_OUT)
    known = "; ".join(f"{b.name} {b.macro_f1:.2f}" for b in BASELINES)
    return Part(
        title,
        points,
        most,
        (finding,),
        f"{nearest}Points: {steps}. Baselines on the test words: {known}.",
    ), scores


def _predict(caller: Caller, tested: WordSet, held_out: Part, scores: Scores | None) -> Part:
    title, most = "`predict`", PROBE_POINTS * len(predicting.QUESTIONS)
    if scores is None:  # no tags at all
        return Part(title, 0, most, attempted=held_out.attempted)
    findings = tuple(predicting.probe_predict(caller, tested.letters))
    points = PROBE_POINTS * sum(finding.verdict == "ok" for finding in findings)
    if held_out.points:
        return Part(title, points, most, findings)
    sentence = (
        f"These points count from macro-F1 {HELD_OUT[0][0]:.2f} on. Predictions that know nothing "
        "depend on nothing."
    )
    return Part(title, 0, most, findings, sentence)


def _all_or_nothing(title: str, most: int, caller: Caller, name: Name, seed: int) -> Part:
    empty = False

    def noticing(name: Name, arguments: Arguments, seed: int) -> Outcome:
        nonlocal empty
        outcome = caller(name, arguments, seed)
        empty = empty or outcome.kind == "empty"
        return outcome

    probe = {"score": scoring.probe_score, "choose": choosing.probe_choose}[name]
    findings = tuple(probe(noticing, seed))
    if empty:
        return Part(title, 0, most, (), "", attempted=False)
    right = all(finding.verdict == "ok" for finding in findings)
    return Part(title, most if right else 0, most, findings)


PROBED = (
    "pad-packed-keeps-length",
    "squeeze-is-harmless",
    "transposed-only-once",
    "carried-state-as-is",
    "no-grad-is-eval",
    "missing-batch-first-raises",
    "comes-back-sorted",
    "sort-by-hand",
    "batchnorm-without-eval",
    "packing-only-for-h-n",
    "zeros-are-invisible",
    "zeros-count-as-pads",
    "accuracy-shows-skill",
    "one-default-f1",
    "argument-order",
    "pads-in-accuracy",
    "mean-of-batch-f1",
    "token-mean-is-sequence-mean",
    "zero-division-is-cosmetic",
    "choose-by-test",
    "best-seed-is-the-model",
    "argmax-skips-nan",
)
"""Ids of all misconceptions that the probes can name."""


def _record(report: ProjectReport) -> None:
    """Keep the points in the learner's record, as those of an exercise."""
    text = repr([(f.probe, f.verdict, f.evidence) for f in report.findings])
    attempt = Attempt(
        item=PROJECT,
        kind="exercise",
        unit="08",
        points=report.points,
        max_points=report.max_points,
        answer=hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16],
        probes=PROBED,
        misconception=next(iter(report.misconceptions), None),
    )
    record().add_if_new(attempt)
