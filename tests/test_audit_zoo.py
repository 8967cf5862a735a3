"""The audit on every model of the zoo: no alarm on a right one, and most faulty ones named."""

from __future__ import annotations

import contextlib
import functools
import io
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from audit.pieces import Case
from audit.right_recurrent import PackedTagger
from audit.zoo import FAULTY, RIGHT
from torch import Tensor

from birnn_course import AuditReport, audit
from birnn_course.auditing.subject import Subject

pytestmark = pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")

NOT_FOUND = {
    "accuracy_as_mean_of_batches",  # how it is averaged over batches does not show in one
}
FOUND_AND_NOT_NAMED = {
    "packed_sequence_rebuilt",  # leaves the traces of `sort-by-hand`, which is named instead
}
"""What is missed. Whoever makes the audit better takes the name out here."""


@functools.cache
def report_on(case: Case) -> tuple[AuditReport, int]:
    """What the audit says, and how often it called the model."""
    model, batch, options = case.make()
    asked = []
    own = Subject.raw

    def noted(*args: Any, **options: Any) -> Tensor:
        asked.append(args)
        return own(*args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Subject, "raw", noted)
        return audit(model, batch, **options), len(asked)


@pytest.mark.parametrize("case", RIGHT, ids=lambda case: case.name)
def test_no_alarm_on_a_right_model(case: Case) -> None:
    assert report_on(case)[0].problems == ()


def test_what_is_found_and_named_and_what_is_missed() -> None:
    reports = {case.name: report_on(case)[0] for case in FAULTY}
    silent = {name for name, report in reports.items() if not report.problems}
    named = {case.name for case in FAULTY if case.bugs & {*reports[case.name].misconceptions}}
    assert silent == NOT_FOUND
    assert reports.keys() - named == NOT_FOUND | FOUND_AND_NOT_NAMED


def test_no_probe_failed_and_no_model_was_called_too_often() -> None:
    for case in FAULTY + RIGHT:
        report, asked = report_on(case)
        assert not [f for f in report if "probe itself failed" in f.evidence], case.name
        assert asked < 150, case.name
    assert max(report_on(case)[1] for case in RIGHT) > 50  # and they are counted


def packed_tagger() -> tuple[Any, Tensor, dict[str, Any]]:
    (case,) = [case for case in RIGHT if case.name == "packed_tagger"]
    return case.make()


class Planted(PackedTagger):
    """A right tagger with one thing wrong."""

    def __init__(self, bug: str) -> None:
        super().__init__(torch.nn.LSTM)
        self.bug = bug

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        if self.bug == "too-short-raises":
            lengths = lengths.clamp(max=8)
        scores = super().forward(inputs, lengths)
        if self.bug == "softmax-over-the-batch":
            scores = scores + 1e-6 * scores.mean(0)  # weak, and yet not rounding
        return scores


@pytest.mark.parametrize("bug", ["", "too-short-raises", "softmax-over-the-batch"])
def test_a_bug_planted_into_a_right_model_is_named(bug: str) -> None:
    _, batch, options = packed_tagger()
    report = audit(Planted(bug), batch, options["lengths"])
    assert report.misconceptions[:1] == ((bug,) if bug else ())


def test_each_target_belongs_to_its_own_score() -> None:
    model, batch, options = packed_tagger()
    right = options["loss"]
    for loss, verdict in ((right, "ok"), (lambda s, t: right(s.roll(1, 0), t), "problem")):
        finding = audit(model, batch, **{**options, "loss": loss})["pads in the loss"]
        assert finding.verdict == verdict
        assert finding.misconception == ("flattening-aligns" if verdict == "problem" else None)


def test_the_example_of_the_readme_prints_the_finding() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code, {"__name__": "readme"})
    assert "backward direction" in printed.getvalue()
    assert f"*{printed.getvalue().strip()}*" in readme
