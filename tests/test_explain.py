"""The error explainer: errors are raised for real, by wrong code in an IPython session."""

from __future__ import annotations

import csv
import gc
import re
import sys
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from raised import (
    KNOWN,
    NEXT_LAYER,
    NOT_RAISED_FOR_REAL,
    OTHER_VERSIONS,
    PREAMBLE,
    UNRELATED,
    Case,
)
from traitlets.config import Config

from birnn_course.course import UNITS
from birnn_course.explain import extension
from birnn_course.explain.matching import Explanation, Known, explanation_of
from birnn_course.explain.messages import TABLES, Message, messages
from birnn_course.misconceptions import catalogue

SIGN = "birnn_course: "
LISTED = Path(__file__).with_name("misconceptions.csv")


@pytest.fixture(scope="module")
def ipython(tmp_path_factory: pytest.TempPathFactory) -> InteractiveShell:
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return InteractiveShell(config=config, ipython_dir=str(tmp_path_factory.mktemp("ipython")))


@pytest.fixture
def shell(ipython: InteractiveShell) -> Iterator[InteractiveShell]:
    """A session that has the extension, and nothing of other tests."""
    before = set(ipython.user_ns)
    ipython.run_line_magic("load_ext", "birnn_course")
    ipython.run_cell(PREAMBLE)
    yield ipython
    ipython.run_line_magic("unload_ext", "birnn_course")
    for name in set(ipython.user_ns) - before:
        del ipython.user_ns[name]


def run(shell: InteractiveShell, code: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What a wrong cell prints: IPython's own text with the traceback, and the explanation."""
    capsys.readouterr()
    assert not shell.run_cell(code).success, "nothing was raised"
    printed = capsys.readouterr().out
    traceback, sign, explanation = printed.partition(SIGN)
    return traceback, sign + explanation


def name_of(case: Case) -> str:
    return case[0]


def order_matters(shell: InteractiveShell) -> bool:
    """Whether the table, read from its end, explains the last cell's error in another way."""
    result: Any = shell.last_execution_result
    first, other = (
        explanation_of(result.error_in_exec, table)
        for table in (extension.TABLE, extension.TABLE[::-1])
    )
    return first != other


CASES = [*sorted(KNOWN), *OTHER_VERSIONS, *NOT_RAISED_FOR_REAL]


def kept(code: str, found: Explanation) -> list[Message]:
    """What a page shows of this wrong code, with this explanation."""
    shown = "" if code.startswith("raise ") else code
    return [m for m in messages() if (m.code, m.text) == (shown, found.text)]


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_a_known_error_is_explained(
    case: Case,
    shell: InteractiveShell,
    capsys: pytest.CaptureFixture[str],
    stored_messages_count: bool,
) -> None:
    misconception, code, numbers = case
    traceback, explanation = run(shell, code, capsys)
    text = " ".join(explanation.split())
    assert "Error" in traceback
    assert "Misconception: " in text, traceback[-600:]
    assert text.split("Misconception: ")[1].startswith(f"{misconception}."), text
    for fragment in numbers:
        assert fragment in text
    result: Any = shell.last_execution_result
    found = explanation_of(result.error_in_exec, extension.TABLE)
    assert found is not None
    if case not in OTHER_VERSIONS:
        (shown,) = kept(code, found) or pytest.fail("run make shown")
        assert shown.misconceptions == found.misconceptions
        if stored_messages_count:
            raised = f"{type(result.error_in_exec).__name__}: {result.error_in_exec}"
            assert shown.raised == raised
    assert len(text) < 520
    assert text.isascii()  # so that every terminal can print it
    assert not order_matters(shell)


def test_the_page_of_messages_shows_these_cases_and_no_others() -> None:
    cases = [code for _, code, _ in (*KNOWN, *NOT_RAISED_FOR_REAL)]
    assert {m.code for m in messages() if m.code} == {
        c for c in cases if not c.startswith("raise ")
    }
    for message in messages():
        (known_by,) = [k for k in TABLES[message.about] if k.fragment == message.fragment]
        assert re.search(known_by.fragment, message.raised)
    assert kept(NEXT_LAYER[1], Explanation("Something else.", ())) == []


def test_an_error_of_another_kind_would_be_noticed(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    """The next test can fail: with a fragment that is too wide, an unrelated error is explained."""
    wide = Known("division", lambda _: Explanation("You divided.", ("head-keeps-its-size",)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extension, "TABLE", (*extension.TABLE, wide))
        assert run(shell, "1 / 0", capsys)[1] != ""
    assert run(shell, "1 / 0", capsys)[1] == ""


def test_an_entry_that_takes_the_errors_of_others_is_noticed(
    shell: InteractiveShell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wide = Known("Expected", lambda _: Explanation("You expected.", ("head-keeps-its-size",)))
    monkeypatch.setattr(extension, "TABLE", (*extension.TABLE, wide))
    run(shell, NEXT_LAYER[1], capsys)
    assert order_matters(shell)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("code", UNRELATED)
def test_an_unrelated_error_stays_unexplained(
    code: str, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(shell, code, capsys)[1] == ""


def test_there_are_enough_unrelated_errors() -> None:
    assert len(UNRELATED) == len(set(UNRELATED)) > 60


def test_the_traceback_is_not_changed(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    code = NEXT_LAYER[1]
    with_extension, explanation = run(shell, code, capsys)
    shell.run_line_magic("unload_ext", "birnn_course")
    without, nothing = run(shell, code, capsys)
    shell.run_line_magic("load_ext", "birnn_course")
    assert explanation.startswith(SIGN)
    assert nothing == ""
    assert numbers_masked(with_extension) == numbers_masked(without)
    assert "Expected 6, got 12" in without


def numbers_masked(text: str) -> list[str]:
    """Without the cell's own number, which grows."""
    return [line for line in text.splitlines() if not line.startswith(("Cell In", "File <ipy"))]


@pytest.mark.parametrize(
    "raising",
    ["raise ValueError('training stopped') from error", "raise ValueError('training stopped')"],
)
def test_the_error_behind_another_one_is_explained(
    raising: str, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    code = f"try:\n    nn.LSTM(4, 6)(x.double())\nexcept ValueError as error:\n    {raising}"
    assert "any-dtype-goes" in run(shell, code, capsys)[1]
    hidden = (
        "try:\n    nn.LSTM(4, 6)(x.double())\nexcept ValueError:\n    raise ValueError from None"
    )
    assert run(shell, hidden, capsys)[1] == ""


def test_a_circle_of_causes_ends() -> None:
    one, other = ValueError("one"), ValueError("other")
    one.__cause__, other.__cause__ = other, one
    assert explanation_of(one, extension.TABLE) is None


def test_the_unit_is_named_where_it_exists(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    _, explanation = run(shell, "x[:, ::-1]", capsys)
    unit = next(unit for unit in UNITS if unit.number == "01")
    last = explanation.splitlines()[-1]
    assert last == f"Unit 01: {unit.title}. Misconception: unflipped-outputs."
    (name,) = (m.id for m in catalogue().values() if m.id == "unflipped-outputs")
    unknown = extension.as_text(Explanation("Text.", ("no-such-id", name)))
    assert unknown.splitlines()[1] == "Misconception: no-such-id."


class Watched(torch.Tensor):
    """A tensor that can be watched; plain ones are freed and made anew below Python."""


def leftovers(shell: InteractiveShell, code: str) -> list[object]:
    """What is still alive of a wrong cell's tensors and frames, once IPython has let go."""
    watched: list[weakref.ref[Any]] = []
    shell.user_ns.update(Watched=Watched, watch=lambda o: watched.append(weakref.ref(o)))
    result: Any = shell.run_cell(code)
    assert watched
    for trace in iter_traces(result.error_in_exec):
        if trace.tb_frame.f_code.co_name == "wrong":
            watched.append(weakref.ref(trace.tb_frame.f_locals["model"]))
    assert len(watched) > 1
    del result, trace
    shell.user_ns.pop("watch")
    shell.last_execution_result = None  # type: ignore[assignment]
    shell.InteractiveTB.tb = None
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        if hasattr(sys, name):
            delattr(sys, name)
    gc.collect()
    return [ref() for ref in watched if ref() is not None]


def iter_traces(error: BaseException) -> Iterator[Any]:
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next


WATCHED_CODE = """
def wrong():
    data = torch.randn(3, 5, 4).as_subclass(Watched)
    model = nn.LSTM(4, 6, bidirectional=True)
    watch(data)
    return nn.Linear(6, 2)(model(data.as_subclass(torch.Tensor))[0])
wrong()
"""


def test_no_tensor_and_no_frame_is_kept(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    assert leftovers(shell, WATCHED_CODE) == []
    assert "head-keeps-its-size" in capsys.readouterr().out


def test_a_kept_frame_would_be_noticed(shell: InteractiveShell) -> None:
    kept: list[Any] = []
    shell.events.register("post_run_cell", kept.append)
    try:
        assert leftovers(shell, WATCHED_CODE) != []
    finally:
        shell.events.unregister("post_run_cell", kept.append)


def test_a_failure_of_the_explainer_is_silent(
    shell: InteractiveShell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def broken(clues: object) -> None:
        asked.append(type(clues))
        raise RuntimeError("the roof is on fire")

    broken_table = tuple(replace(entry, explain=broken) for entry in extension.TABLE)
    monkeypatch.setattr(extension, "TABLE", broken_table)
    capsys.readouterr()
    shell.run_cell(NEXT_LAYER[1])
    assert asked
    printed = capsys.readouterr()
    assert "Expected 6, got 12" in printed.out
    assert "roof" not in printed.out + printed.err
    shell.run_cell("class Odd(Exception):\n    def __str__(self): raise ValueError\nraise Odd")
    assert SIGN not in capsys.readouterr().out


def test_no_code_of_the_learner_runs_again(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "calls = []\n"
        "class Model(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.lstm = nn.LSTM(4, 6)\n"
        "    @property\n"
        "    def rnn(self):\n"
        "        calls.append(1)\n"
        "        return self.lstm\n"
        "    def forward(self, x):\n"
        "        return self.rnn(x)[1].shape\n"
        "Model()(x)"
    )
    run(shell, code, capsys)
    assert shell.user_ns["calls"] == [1]


def test_a_cell_that_runs_or_does_not_parse_prints_nothing(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    shell.run_cell("y = 1")
    assert capsys.readouterr().out == ""
    shell.run_cell("y = (")
    assert SIGN not in capsys.readouterr().out


def test_loading_twice_explains_once_and_unloading_stops(
    shell: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_line_magic("load_ext", "birnn_course")
    shell.run_line_magic("reload_ext", "birnn_course")
    assert run(shell, NEXT_LAYER[1], capsys)[1].count(SIGN) == 1
    shell.run_line_magic("unload_ext", "birnn_course")
    assert run(shell, NEXT_LAYER[1], capsys)[1] == ""
    shell.run_line_magic("load_ext", "birnn_course")


def test_every_id_is_a_known_misconception() -> None:
    with LISTED.open(encoding="utf-8", newline="") as file:
        listed = {row["misconception"]: row for row in csv.DictReader(file)}
    explained = {case[0] for case in CASES}
    assert explained <= set(listed) | set(catalogue())
    built = {unit.number for unit in UNITS}
    for name in explained & set(listed):
        row = listed[name]
        if row["unit"] in built and int(row["importance"]) >= 3:
            assert name in catalogue(), f"{name} is explained, and no unit cures it"
