"""No test measures by the clock: what is counted is the same on a slow and on a busy machine.

A test may wait, with the patience of ``patience.py``, and fails where nothing comes. It sets a
shorter limit only for what is meant to exceed it, and compares no times.
"""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator

import pytest
import torch
from counted import Work, calls, imported, work
from patience import PATIENCE, ends, soon

from conftest import ROOT

CLOCKS = {"monotonic", "perf_counter", "process_time", "thread_time", "cpu_seconds", "time.time"}
LIMITED = {"communicate", "join", "receive", "result", "settimeout", "wait", "wait_procs", "Prison"}
BROWSERS_OWN = {
    "new_context", "set_default_navigation_timeout", "set_default_timeout", "wait_for_timeout",
}  # fmt: skip


# ── what is found ───────────────────────────────────────────────────────────────────────────────


def name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def tells_time(node: ast.AST) -> bool:
    """Whether a clock is read in an expression."""
    text = {part for inner in ast.walk(node) for part in (name(inner), *dotted(inner))}
    return not text.isdisjoint({*CLOCKS, *(f"{clock}_ns" for clock in CLOCKS)})


def dotted(node: ast.AST) -> list[str]:
    return [ast.unparse(node)] if isinstance(node, ast.Attribute) else []


def is_short(node: ast.AST) -> bool:
    """Whether it is a number below patience."""
    number = isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    return number and not isinstance(node.value, bool) and 0 < node.value < PATIENCE


def compared(tree: ast.AST) -> Iterator[ast.AST]:
    """Assertions that compare what a clock says, at once or by a name."""
    for scope in ast.walk(tree):
        if not isinstance(scope, ast.FunctionDef | ast.Module):
            continue
        times = {
            name(target)
            for node in ast.walk(scope)
            if isinstance(node, ast.Assign) and tells_time(node.value)
            for target in node.targets
        }
        for node in ast.walk(scope):
            if isinstance(node, ast.Assert) and any(
                tells_time(part) or {name(n) for n in ast.walk(part)} & times - {""}
                for part in ast.walk(node.test)
                if isinstance(part, ast.Compare)
            ):
                yield node


def timed_elsewhere(tree: ast.AST) -> Iterator[ast.AST]:
    """Programs that read a clock and are run in another process."""
    for node in ast.walk(tree):
        text = str(node.value) if isinstance(node, ast.Constant) else ""
        if any(f"{clock}()" in text for clock in CLOCKS):
            yield node


def limited(tree: ast.AST) -> Iterator[ast.AST]:
    """Limits of time below patience: given by name or place, or set for a whole module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            by_name = [k.value for k in node.keywords if k.arg and _is_limit(k.arg)]
            by_place = node.args if name(node.func) in LIMITED else []
            patched = [*node.args, None]
            if name(node.func) == "setattr" and _is_limit(str(getattr(patched[-3], "value", ""))):
                by_place = node.args[-1:]
            if any(map(is_short, (*by_name, *by_place))):
                yield node
        elif isinstance(node, ast.Assign) and any(map(_is_limit, map(name, node.targets))):
            yield from [node] * is_short(node.value)


def _is_limit(word: str) -> bool:
    return any(part in word.lower() for part in ("timeout", "seconds", "patience", "slack"))


def slept(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name(node.func) == "sleep":
            yield node


def impatient(tree: ast.AST) -> Iterator[ast.AST]:
    """Pages of a browser that are not opened, or not waited for, by ``browser/lab.py``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name(node.func) in BROWSERS_OWN:
            yield node


FINDERS = {
    function.__name__: function
    for function in (compared, timed_elsewhere, limited, slept, impatient)
}


def found(source: str) -> list[str]:
    """In what way which line of a module hangs on the clock."""
    tree = ast.parse(source)
    lines = [
        f"{kind}: {ast.unparse(node).splitlines()[0][:60]}"
        for kind, find in FINDERS.items()
        for node in find(tree)
    ]
    return [*dict.fromkeys(lines)]


# ── in the tests ────────────────────────────────────────────────────────────────────────────────

ALLOWED = {
    "browser/lab.py": {
        "impatient: browser.new_context(**{'viewport': WINDOW, **options})": "the one place",
        "impatient: context.set_default_timeout(1000 * PATIENCE)": "the one place",
    },
    "grading/classes.py": {
        "timed_elsewhere: 'import torch, functools, time\\ndef timed(function):\\n    @f": (
            "what a student hands in; nobody reads it"
        ),
        "limited: SECONDS = 12.0": "for endless loops; honest notebooks take a tenth of a second",
    },
    "grading/control.py": {"slept: time.sleep(0.02)": "between two looks, until patience ends"},
    "grading/honest.py": {
        "limited: lock.wait(0.01)": "for what does not come; to see what waiting calls",
        "slept: time.sleep(0.01)": "to see what sleeping calls",
        "slept: asyncio.sleep(0.01)": "to see what waiting for nothing calls",
    },
    "grading/test_class.py": {
        "limited: seconds = 4.0": "is exceeded; the job returns a number, and adds nothing to it",
        "slept: time.sleep(seconds + 0.5)": "exceeds the limit above",
        "slept: time.sleep(0.01)": "until a random moment, or the end; all moments are right",
        "slept: time.sleep(0.7)": "to kill at work or before; both are right",
        "slept: time.sleep(1)": "to close at work or before; both are right",
    },
    "grading/test_hostile.py": {
        "limited: SECONDS = 6": "for attacks that stall; honest notebooks take a tenth of a second",
        "slept: time.sleep(0.05)": "between two looks, until patience ends",
    },
    "grading/test_wire.py": {
        "limited: wire.receive(ours, 0.3)": "is exceeded",
        "limited: done.wait(0.02)": "between two bytes, of which too few come in any case",
    },
    "notebooks/test_tool.py": {
        "compared: assert 1 <= costs[2].cpu_seconds > costs[1].cpu_seconds": (
            "a loop of a second beside a sleep of three: load makes the first longer only"
        ),
        "timed_elsewhere: 'start = time.process_time()\\nwhile time.process_time() < st": (
            "the loop"
        ),
    },
    "test_audit.py": {
        "limited: monkeypatch.setattr('birnn_course.auditing.entry.SECONDS', 4": (
            "of a clock that counts calls"
        ),
    },
    "test_benchmarks.py": {
        f"timed_elsewhere: {loop}": "a loop that takes at least so long; more is right"
        for loop in (
            "'end = time.process_time() + 0.6\\nwhile time.process_time() ",
            "'end = time.process_time() + 0.3\\nwhile time.process_time() ",
        )
    },
    "test_cpu_ledger.py": {
        f"timed_elsewhere: {loop}": "a loop that takes at least so long; more is right"
        for loop in (
            "'import time\\nwhile time.process_time() < 1: pass\\n'",
            "'import time\\ndef test_it():\\n    until = time.process_time(",
        )
    },
    "test_project_checks.py": {
        "limited: monkeypatch.setattr(caller, 'SECONDS_A_CALL', 0.3)": (
            "for the function that does not end, which restores it"
        ),
        "slept: time.sleep(0.01)": "the function that does not end",
    },
    "test_record.py": {
        f"limited: monkeypatch.setattr(module, '{which}', 0.01)": "while another holds the file"
        for which in ("BUSY_SECONDS", "BUSY_SECONDS_IN_TROUBLE")
    },
    "test_runner.py": {
        "compared: assert time.monotonic() - start >= 5": "that it waits; load only helps",
        "limited: run('while True: pass', 'True', timeout=0.2)": "is exceeded",
    },
}
"""What hangs on a clock all the same, and why no load makes it fail."""


def test_no_test_measures_by_the_clock() -> None:
    folder, unexplained = ROOT / "tests", {}
    for path in sorted(folder.rglob("*.py")):
        where = str(path.relative_to(folder))
        if where not in ("patience.py", "test_the_clock.py"):
            allowed = ALLOWED.get(where, {})
            lines = found(path.read_text(encoding="utf-8"))
            assert allowed.keys() <= {*lines}, f"{where}: no longer there"
            if left := [line for line in lines if line not in allowed]:
                unexplained[where] = left
    assert unexplained == {}


CAUGHT = {
    "assert time.process_time() - start < 1": "compared",
    "assert 5 <= time.monotonic() - start": "compared",
    "start = perf_counter()\nwork()\ntook = perf_counter() - start\nassert took < 1": "compared",
    "assert max(c.cpu_seconds for c in costs) < 3": "compared",
    "run('import time; print(time.process_time())')": "timed_elsewhere",
    "done.communicate(timeout=30)": "limited",
    "expect(output).to_be_visible(timeout=60)": "limited",
    "future.result(10)": "limited",
    "SECONDS = 6": "limited",
    "monkeypatch.setattr(runner, 'SECONDS', 0.3)": "limited",
    "time.sleep(0.5)": "slept",
    "page.wait_for_timeout(500)": "impatient",
    "browser.new_context()": "impatient",
}


@pytest.mark.parametrize("source", CAUGHT)
def test_what_hangs_on_the_clock_is_found(source: str) -> None:
    for planted in (source, "def test():\n    " + source.replace("\n", "\n    ")):
        assert [line.partition(":")[0] for line in found(planted)] == [CAUGHT[source]]


@pytest.mark.parametrize(
    "source",
    [
        "done.communicate(timeout=PATIENCE)", "while time.monotonic() < end:\n    step()",
        "'-'.join(words)", "assert points < 3", "future.result(600)", "found.wait()",
        "monkeypatch.setattr('time.monotonic', clock)",
    ],
)  # fmt: skip
def test_what_does_not_is_left_alone(source: str) -> None:
    assert found(source) == []


# ── what is used instead ────────────────────────────────────────────────────────────────────────


def test_calls_and_numbers_are_counted() -> None:
    def draw(n: int) -> None:
        for i in range(n):
            chr(i)
        torch.ones(n) + 1

    assert work(lambda: draw(100)) == work(lambda: draw(100))
    few, many = work(lambda: draw(100)), work(lambda: draw(1_000))
    assert many.numbers == 10 * few.numbers == 2_000
    assert many.calls - few.calls == 900
    assert few > Work(100, 0) and calls(lambda: draw(100)) == few.calls


def test_what_is_imported_is_told() -> None:
    assert "json.decoder" in imported("import json")
    assert imported("import json", before="import json") == set()


def test_patience_ends() -> None:
    never = threading.Event()
    assert not soon(never.is_set, seconds=0.05)
    with pytest.raises(TimeoutError):
        ends(never.wait, seconds=0.05)
    assert soon(lambda: True) and ends(lambda: 42) == 42
    with pytest.raises(ZeroDivisionError):
        ends(lambda: 1 / 0)
