from __future__ import annotations

import copy
import dataclasses
import functools
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

import audited
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from audited import C, D, H, Net, V, batch, mask_of, run
from torch import Tensor, nn

from birnn_course import AuditReport, Finding, SequenceTagger, audit
from birnn_course.auditing.entry import PROBES
from birnn_course.auditing.keeping import parts_of
from birnn_course.auditing.subject import Subject
from birnn_course.errors import CourseError
from birnn_course.misconceptions import catalogue

RIGHT, FAULTY = audited.right(), audited.faulty()
IDS, LENGTHS = batch()
REAL = mask_of(IDS, LENGTHS)[..., 0]


@functools.cache
def report_on(name: str) -> AuditReport:
    """Of a faulty model; the audit gives the same each time, so once is enough."""
    return run(FAULTY[name])


def sound(report: AuditReport) -> None:
    """What holds for every report, whatever the model."""
    assert not [f for f in report if "probe itself failed" in f.evidence]
    for finding in report:
        assert finding.evidence
        named = {finding.misconception, *finding.alternatives} - {None}
        assert named <= set(catalogue())
        assert finding.misconception not in finding.alternatives
        if finding.verdict == "problem":
            assert finding.misconception is not None
            assert re.search(r"\d|alone reaches|no axis", finding.evidence), finding.evidence
        else:
            assert not named
    assert str(report) and report._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("name", RIGHT)
def test_no_alarm_on_a_right_model(name: str) -> None:
    report = run(RIGHT[name])
    sound(report)
    assert report.problems == ()
    assert sum(f.verdict == "ok" for f in report) >= 8


@pytest.mark.parametrize("name", FAULTY)
def test_a_planted_bug_is_found_and_named(name: str) -> None:
    report = report_on(name)
    sound(report)
    assert FAULTY[name].expected in report.misconceptions, str(report)


def test_every_probe_has_found_something() -> None:
    found = {f.probe for name in FAULTY for f in report_on(name).problems}
    assert {name for name, *_ in PROBES} | {"axes of the result", "place of padding"} == found


# ── loss and metric ─────────────────────────────────────────────────────────────────────────────

TAGS = torch.randint(0, C, IDS.shape, generator=torch.Generator().manual_seed(3))
IGNORED, ZERO = TAGS.masked_fill(~REAL, -100), TAGS.masked_fill(~REAL, 0)


def flat(s: Tensor, t: Tensor) -> Tensor:
    return F.cross_entropy(s.flatten(0, 1), t.flatten())


def per_step(s: Tensor, t: Tensor) -> Tensor:
    return F.cross_entropy(s.mT, t.clamp(min=0), reduction="none")


def f1(p: Tensor, t: Tensor) -> float:
    from sklearn.metrics import f1_score

    return float(f1_score(t[t >= 0], p[t >= 0], average="macro"))


@pytest.mark.parametrize(
    ("what", "function", "targets", "misconception"),
    [
        ("loss", nn.CrossEntropyLoss(), IGNORED, None),
        ("loss", flat, IGNORED, None),
        ("loss", nn.CrossEntropyLoss(weight=torch.tensor([1.0, 0.0, 3.0])), IGNORED, None),
        ("loss", lambda s, t: (per_step(s, t) * REAL).sum() / REAL.sum(), ZERO, None),
        ("loss", lambda s, t, mask: per_step(s, t)[mask].mean(), ZERO, None),
        ("loss", flat, ZERO, "one-filler-for-all"),
        ("loss", nn.CrossEntropyLoss(ignore_index=0), ZERO, "ignore-index-zero"),
        ("loss", lambda s, t: (per_step(s, t) * (t >= 0)).mean(), IGNORED, "masked-mean"),
        ("metric", lambda s, t: (s.argmax(-1) == t)[t >= 0].float().mean(), IGNORED, None),
        ("metric", lambda p, t: ((p == t) & (t >= 0)).sum() / (t >= 0).sum(), IGNORED, None),
        ("metric", lambda s, t, n: (s.argmax(-1) == t)[REAL].float().mean(), ZERO, None),
        ("metric", f1, IGNORED, None),
        ("metric", lambda s, t: (s.argmax(-1) == t).float().mean(), ZERO, "pads-in-accuracy"),
        ("metric", lambda p, t: (p == t).float().mean(), ZERO, "pads-in-accuracy"),
        ("metric", lambda p, t: (p == t).float().mean(), IGNORED, "pads-in-accuracy"),
    ],
)
def test_pads_in_a_loss_or_a_metric(
    what: str, function: Callable[..., Any], targets: Tensor, misconception: str | None
) -> None:
    if what == "metric" and function.__code__.co_varnames[:3] == ("s", "t", "n"):
        plain = function
        function = lambda s, t, lengths: plain(s, t, lengths)  # noqa: E731
    net = Net(audited.tag_packed)
    report = audit(net, IDS, LENGTHS, targets=targets, **{what: function})
    sound(report)
    finding = report[f"pads in the {what}"]
    assert finding.misconception == misconception, finding
    assert finding.verdict == ("problem" if misconception else "ok")


def test_classes_and_time_first() -> None:
    x, n = IDS[:, :3].clone(), LENGTHS.clamp(max=3)
    n[0], x[0, 2] = 2, 0
    tags = TAGS[:, :3].masked_fill(~mask_of(x, n)[..., 0], -100)
    report = audit(Net(audited.tag_packed), x, n, targets=tags, loss=nn.CrossEntropyLoss())
    assert report["pads in the loss"].misconception == "classes-last-in-loss"
    net = Net(lambda net, x, n: audited.packed(net, x, n, batch_first=False)[0], batch_first=False)
    for targets, expected in ((IGNORED, None), (ZERO, "one-filler-for-all")):
        report = audit(net, IDS.T, LENGTHS, targets=targets.T, loss=flat)
        assert report["pads in the loss"].misconception == expected
        assert "time first, found from lengths" in report.assumed


def test_what_a_loss_does_not_allow_is_said() -> None:
    net = Net(audited.tag_packed)
    finding = audit(net, IDS, LENGTHS, targets=IGNORED, loss=lambda s, t: 1 / 0)["pads in the loss"]
    assert finding.verdict == "not tested" and "division by zero" in finding.evidence
    finding = audit(net, IDS, LENGTHS, loss=flat)["pads in the loss"]
    assert (finding.verdict, finding.evidence) == ("not applicable", "No targets given.")
    report = audit(Net(audited.ends), IDS, LENGTHS, targets=TAGS[:, 0], loss=F.cross_entropy)
    assert report["pads in the loss"].verdict == "not applicable"


# ── how models are called ───────────────────────────────────────────────────────────────────────


@dataclasses.dataclass
class Output:
    scores: Tensor
    note: str = ""


def called_in_other_ways() -> Iterator[tuple[str, Callable[..., object]]]:
    net = Net(audited.tag_packed)
    yield "dataclass", lambda x, n: Output(net(x, n))
    yield "dict that begins with a loss", lambda x, n: {"loss": torch.tensor(1.0), "y": net(x, n)}
    yield "tuple", lambda x, n: (net(x, n), None)
    yield "keyword", lambda x, *, seq_lens=None: net(x, seq_lens)
    yield "partial", functools.partial(net)
    yield "any arguments", lambda *a: net(*a)
    yield "one number per step", lambda x, n: net(x, n)[..., 0]
    yield "bfloat16", copy.deepcopy(net).to(torch.bfloat16)
    yield "wrapped", nn.DataParallel(net)
    yield "SequenceTagger", SequenceTagger(V, C, H, bidirectional=True)


@pytest.mark.parametrize(("name", "model"), list(called_in_other_ways()))
def test_models_may_be_called_in_many_ways(name: str, model: Callable[..., object]) -> None:
    report = audit(model, IDS, LENGTHS.tolist())
    sound(report)
    assert report.problems == ()
    assert report["each alone"].verdict == report["lengths"].verdict == "ok"


def test_the_layout_is_said_or_found_and_reported() -> None:
    plain = audited.NoLengths(audited.tag_plain, bi=False, batch_first=False)
    ids = batch("full")[0].T
    assert audit(plain, ids, batch_first=False).problems == ()
    assert "taken for granted" in audit(plain, ids).assumed[0]
    assert audit(plain, ids)["samples apart"].verdict == "problem"
    square, ends = batch("ids", 8, 8)
    assert "where pads are" in audit(Net(audited.tag_packed), square, ends).assumed[0]
    assert (
        "where pads are" in audit(RIGHT["both ends, time first"].model, square.T, ends).assumed[0]
    )
    last = audited.NoLengths(lambda net, x, n: net.rnn(x)[0][-1], bi=False, batch_first=False)
    report = audit(last, ids)
    assert report.problems == () and "result's rows" in report.assumed[0]


def test_lengths_are_passed_only_where_they_are_taken_or_needed() -> None:
    assert "without lengths" in audit(Net(audited.tag_plain, bi=False), IDS).assumed[1]
    assert "full lengths" in audit(Net(audited.tag_packed), batch("full")[0]).assumed[1]
    lstm = nn.LSTM(D, H, batch_first=True)
    assert "does not take" in audit(lstm, *batch("floats")).assumed[1]


def test_one_sequence_or_one_step_is_not_enough_for_everything() -> None:
    report = audit(Net(audited.tag_packed), IDS[:1], LENGTHS[:1])
    sound(report)
    assert report.problems == ()
    for name in ("samples apart", "order of results"):
        assert report[name].verdict == "not tested" and "one sequence" in report[name].evidence
    report = audit(audited.NoLengths(audited.tag_plain), IDS[:, :1])
    sound(report)
    assert report["past and future"].verdict == "not applicable"


def test_a_model_that_wants_a_sorted_batch_is_left_in_peace() -> None:
    def ordered(net: Any, x: Tensor, n: Tensor) -> Tensor:
        out, _ = net.rnn(audited.pack_padded_sequence(x, n, batch_first=True))
        return audited.pad_packed_sequence(out, batch_first=True)[0]

    n, order = LENGTHS.sort(descending=True)
    report = audit(Net(ordered), IDS[order], n)
    assert report.problems == ()
    assert "sorted" in report["order of results"].evidence
    assert "total_length" in report["amount of padding"].evidence


def test_labels_say_less() -> None:
    net = Net(audited.tag_packed)
    report = audit(lambda x, n: net(x, n).argmax(-1), IDS, LENGTHS)
    assert "weak evidence" in report["samples apart"].evidence
    assert "labels" in report.assumed[-1]
    assert not [f for f in report if ".;" in f.evidence]


def test_complex_numbers_and_infinities_are_scores_too() -> None:
    floats, lengths = batch("floats")
    assert (
        "(5, 12, 6, 2)"
        in audit(lambda x: torch.fft.fft(x), floats, lengths)["axes of the result"].evidence
    )
    masked = audit(lambda x: x.masked_fill(x > 0, -torch.inf), floats, lengths)
    assert masked.problems == ()


def test_a_result_with_nan_is_a_problem() -> None:
    def empty(net: Any, x: Tensor, n: Tensor) -> Tensor:
        return audited.tag_packed(net, x, n) * torch.nan

    assert audit(Net(empty), IDS, LENGTHS).misconceptions == ("minus-infinity-is-safe",)


def test_weights_that_are_made_anew_for_each_call_are_left_in_peace() -> None:
    net = Net(audited.tag_packed)
    nn.utils.parametrizations.weight_norm(net.rnn, "weight_hh_l0")
    report = audit(net, IDS, LENGTHS)
    assert report.problems == ()
    assert report["directions"].verdict == "not applicable"


# ── what cannot be audited ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "arguments", "sentence"),
    [
        (lambda x, n: 1 / 0, (IDS, LENGTHS), "raises ZeroDivisionError: division by zero"),
        (lambda x: None, (IDS,), "must return a tensor"),
        (lambda x: torch.zeros(6, 3), (IDS.numpy(),), "not ndarray"),
        (lambda x: x, (IDS[0],), r"not shape \(14,\)"),
        ([1], (IDS,), "a model or a function, not list"),
        (lambda x: x, (IDS, LENGTHS[:2]), "for each of the 6 sequences"),
        (lambda x: x, (IDS, LENGTHS * 0), "from 1 to 14"),
        (nn.LazyLinear(3), (batch("floats")[0],), "no weights yet"),
        (nn.GRU(D + 1, H), (batch("floats")[0],), "must be equal to input_size"),
    ],
)
def test_it_says_in_a_sentence_what_it_cannot_audit(
    model: Any, arguments: tuple[Any, ...], sentence: str
) -> None:
    with pytest.raises(CourseError, match=sentence) as caught:
        audit(model, *arguments)
    assert caught.value.__cause__ is None


# ── everything stays as it was ──────────────────────────────────────────────────────────────────


class Untidy(nn.Module):
    """Changes all that a forward pass can change."""

    def __init__(self, fails_at: int = 10**9) -> None:
        super().__init__()
        self.emb, self.rnn = nn.Embedding(V, D), nn.GRU(D, H, batch_first=True)
        self.drop, self.norm = nn.Dropout(), nn.BatchNorm1d(H)
        self.register_buffer("count", torch.zeros(()))
        self.calls, self.seen, self.fails_at = 0, [], fails_at
        self.state = {"h": torch.zeros(3)}
        self.generator = torch.Generator().manual_seed(5)

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.count += 1
        self.seen.append(tuple(x.shape))
        self.state["h"] += 1
        self.emb.weight.data.mul_(1 + 1e-4)
        self.new = torch.rand(1, generator=self.generator)
        torch.rand(1), random.random(), np.random.rand()
        if self.calls >= self.fails_at:
            raise ValueError("enough")
        return self.norm(self.rnn(self.drop(self.emb(x)))[0].mT).mT


def everything(model: nn.Module) -> list[Any]:
    tensors = {k: v.clone() for k, v in model.state_dict().items()}
    grads = {k: None if p.grad is None else p.grad.clone() for k, p in model.named_parameters()}
    return [
        tensors,
        grads,
        [(k, p.requires_grad, id(p), id(p.grad)) for k, p in model.named_parameters()],
        [m.training for m in model.modules()],
        [list(m._forward_hooks) + list(m._forward_pre_hooks) for m in model.modules()],
        [set(vars(m)) for m in model.modules()],
        torch.get_rng_state(),
        random.getstate(),
        list(np.random.get_state()[1]),  # type: ignore[index]
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
        torch.backends.cudnn.enabled,
        torch.backends.cudnn.allow_tf32,
    ]


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(equal, a, b))
    return bool(a == b)


@pytest.mark.parametrize("fails_at", [10**9, 1, 30])
def test_the_model_and_the_world_stay_as_they_were(fails_at: int) -> None:
    model = Untidy(fails_at)
    model.train()
    model.rnn.eval()
    model.emb.weight.requires_grad_(False)
    handle = model.rnn.register_forward_hook(lambda *_: None)
    F.relu(model.rnn(torch.randn(2, 3, D))[0]).sum().backward()
    loss = model.rnn(torch.randn(2, 3, D))[0].sum()  # its graph must survive
    before = everything(model)
    generator = model.generator.get_state()
    for wrapped in (model, lambda x: model(x)):
        try:
            audit(wrapped, batch("full")[0])
        except CourseError as error:
            assert fails_at == 1 and "enough" in str(error)
        assert equal(before, everything(model))
        assert (model.calls, model.seen, hasattr(model, "new")) == (0, [], False)
        assert torch.equal(model.state["h"], torch.zeros(3))
        assert torch.equal(model.generator.get_state(), generator)
    loss.backward()
    handle.remove()


def test_batch_lengths_and_targets_stay_as_they_were() -> None:
    x, n, t = IDS.clone(), LENGTHS.clone(), IGNORED.clone()
    audit(Net(audited.tag_packed), x, n, targets=t, loss=flat)
    assert torch.equal(x, IDS) and torch.equal(n, LENGTHS) and torch.equal(t, IGNORED)
    floats = batch("floats")[0].requires_grad_()
    audit(nn.LSTM(D, H, batch_first=True), floats)
    assert floats.grad is None and floats.requires_grad


def test_weights_come_back_when_a_probe_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Net(audited.tag_packed)
    before = everything(net)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("birnn_course.auditing.inside._unused", stop)
    with pytest.raises(KeyboardInterrupt):
        audit(net, IDS, LENGTHS)
    assert equal(before, everything(net))


def test_a_module_inside_a_function_is_found() -> None:
    net = Net(lambda net, x, n: F.dropout(net.rnn(x)[0], 0.5, net.training))
    net.train()

    class Holder:
        def __init__(self) -> None:
            self.parts = [net]

        def __call__(self, x: Tensor) -> object:
            return self.parts[0](x)

    for model in (lambda x: net(x), functools.partial(net), net.forward, Holder()):
        assert net in parts_of(model)[0]
        assert audit(model, batch("full")[0])["repeatable"].verdict == "ok"
    assert net.training


# ── the report ──────────────────────────────────────────────────────────────────────────────────


def test_the_report_reads_well_and_can_be_asked() -> None:
    report = report_on("gathered, both")
    text = str(report)
    assert text.startswith("audit of Net: 1 problem found by ")
    assert "✗ directions: PROBLEM. GRU `rnn`: the backward direction of layer 0" in text
    assert "Misconception gather-at-the-length" in text and "02_shapes.ipynb" in text
    assert max(map(len, text.splitlines())) <= 92
    assert isinstance(report["directions"], Finding)
    with pytest.raises(CourseError, match="no probe called 'nothing'"):
        report["nothing"]
    assert len(report) == len(list(report))


def test_the_report_is_a_table_that_needs_no_colours_and_escapes_names() -> None:
    Evil = type("<b>Evil</b>", (Net,), {})  # noqa: N806
    html = audit(Evil(audited.tag_plain), IDS, LENGTHS)._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;Evil&lt;/b&gt;" in html and "<b>" not in html
    assert "<caption" in html and html.count('scope="col"') == 3
    assert html.count('scope="row"') == html.count("<tr>") - 1
    assert "color" not in html
    assert "<strong>problem</strong>" in html and 'href="04_packing.ipynb"' in html


def test_the_same_audit_says_the_same() -> None:
    net = Net(audited.tag_plain)
    first = audit(net, IDS, LENGTHS)
    torch.manual_seed(99)
    assert audit(net, IDS, LENGTHS) == first


# ── time ────────────────────────────────────────────────────────────────────────────────────────


def big_batch() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    n = torch.randint(5, 51, (32,), generator=g)
    n[3] = 50
    return torch.randint(1, 500, (32, 50), generator=g) * (torch.arange(50) < n[:, None]), n


def one_size(x: Tensor, lengths: Tensor) -> Tensor:
    assert x.shape == (32, 50), "one size"
    return TAGGER(x, lengths)


TAGGER = SequenceTagger(500, 40, 8, bidirectional=True, cell="lstm")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many steps the model is given, call by call; its own memory would be set back."""
    steps: list[int] = []
    own = Subject.raw

    def noted(self: Subject, x: Tensor, *args: Any, **options: Any) -> Tensor:
        steps.append(x.numel())
        return own(self, x, *args, **options)

    monkeypatch.setattr(Subject, "raw", noted)
    return steps


def test_an_audit_calls_the_model_with_a_few_short_pieces(asked: list[int]) -> None:
    """So a model of a million parameters is done in no time."""
    x, n = big_batch()
    assert audit(TAGGER, x, n).problems == ()
    assert 0 < len(asked) < 100
    assert sum(asked) < 3 * x.numel()


def test_of_a_model_of_one_size_it_asks_no_more_than_it_must(asked: list[int]) -> None:
    x, n = big_batch()
    audit(one_size, x, n)
    assert 100 < len(asked) < 200  # whole batches, so the counts above can be missed
    assert sum(asked) > 100 * x.numel()


def test_an_audit_ends_when_its_time_is_over(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock of the test: a call of this model takes a tenth of a second."""
    monkeypatch.setattr("birnn_course.auditing.entry.SECONDS", 4.0)
    monkeypatch.setattr("time.thread_time", lambda: 0.1 * len(asked))
    report = audit(one_size, *big_batch())
    assert 40 < len(asked) <= 50
    late = [f for f in report if "seconds were over" in f.evidence]
    assert late and {f.verdict for f in late} == {"not tested"}
