"""A learner's line can be wrong in any way; the kernel goes on, and so does the next line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from patience import PATIENCE, ends, soon

from birnn_course.running import child, runner
from birnn_course.running.runner import CodeRun, close

MARK = uuid.uuid4().hex
HOLDS = CodeRun(True, "It ran, and the check holds.")
ENDED = "It ended the process."
REFUSED = "RuntimeError: an answer cannot start or end other processes."
LATE = "It did not end within 0.5 seconds."


def run(code: str, check: str, *, show: str = "", timeout: float = PATIENCE) -> CodeRun:
    """With patience, where the limit is not what is tested."""
    return runner.run(code, check, show=show, timeout=timeout)


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left() -> Iterator[None]:
    """All processes started here carry a mark; at the end there is none."""
    os.environ["BIRNN_TEST_MARK"] = MARK
    close()
    yield
    close()
    del os.environ["BIRNN_TEST_MARK"]
    assert ours() == []


@pytest.fixture
def one_each(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The way of Windows and macOS: a new child for each run."""
    close()
    monkeypatch.setattr(runner, "FORKS", False)
    yield
    close()


def ours(mark: str = MARK) -> list[psutil.Process]:
    """The processes with the mark, and zombies that we should have waited for."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("BIRNN_TEST_MARK") == mark and process.pid != os.getpid():
                found.append(process)
        except psutil.Error:
            continue
    zombies = [
        p for p in psutil.Process().children(recursive=True) if p.status() == psutil.STATUS_ZOMBIE
    ]
    return found + zombies


def test_what_it_tells() -> None:
    layer = "out, _ = nn.LSTM(3, 4, bidirectional=True)(torch.zeros(5, 2, 3))"
    assert run(layer, "out.shape == (5, 2, 8)") == HOLDS
    assert run(layer, "out.shape == (5, 2, 4)", show="out.shape") == CodeRun(
        False, "It ran, but the check does not hold: out.shape is (5, 2, 8)."
    )
    ran = run(f"{layer}; w = torch.ones(1, requires_grad=True)", "0", show="[w, w + out[0, 0, :1]]")
    value = ran.sentence.partition(" is ")[2]
    assert "[tensor([1.]), tensor([" in value
    assert "grad" not in value  # how it came about is not what came out
    assert run(layer, "0").sentence == "It ran, but the check does not hold."
    assert run(layer, "0", show="nowhere").sentence == "It ran, but the check does not hold."
    assert (
        run(layer, "out > 0").sentence == "It ran, but the check cannot be made: "
        "RuntimeError: Boolean value of Tensor with more than one value is ambiguous."
    )
    assert run("print('seen'); x = F.relu(torch.tensor(-1.0))", "x == 0") == CodeRun(
        True, "It ran, and the check holds.", "seen\n"
    )


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("x = = 1", "SyntaxError in your line: invalid syntax."),
        ("  x = 1", "IndentationError in your line: unexpected indent."),
        ("x = 1\0", "SyntaxError in your line: source code string cannot contain null bytes."),
        ("x = '\ud800'", "SyntaxError in your line: 'utf-8' codec can't encode"),
        ("x = " + "(" * 10**5, "SyntaxError in your line: too many nested parentheses."),
        ("\x01\x7f☃ %%% \\", "SyntaxError in your line: invalid non-printable character U+0001."),
        ("1 / 0", "ZeroDivisionError: division by zero."),
        ("raise NotImplementedError", "NotImplementedError."),
        ("raise 5", "TypeError: exceptions must derive from BaseException."),
        ("raise ValueError('one\\ntwo\\nthree')", "ValueError: one."),
        ("raise KeyboardInterrupt", "KeyboardInterrupt."),
        ("nn.GRU(2, 3).load_state_dict({})", "RuntimeError: Error(s) in loading state_dict for"),
        (
            "class E(Exception):\n    def __str__(self): return 1 / 0\nraise E",
            "E.",
        ),
        ("y = nowhere", "NameError: name 'nowhere' is not defined."),
        ("import json; y = json.nowhere", "AttributeError: module 'json' has no attribute"),
        ("y = request", "NameError"),  # none of the child's own names
        ("input('? ')", "EOFError: EOF when reading a line."),
        ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded."),
        ("raise SystemExit", ENDED),
        ("import sys; sys.exit()", ENDED),
        ("exit()", ENDED),
        ("import os; os._exit(0)", ENDED),
        ("import signal; signal.setitimer(signal.ITIMER_REAL, 0.05); signal.pause()", ENDED),
    ],
)
def test_an_error_is_one_sentence(code: str, sentence: str) -> None:
    outcome = run(code, "True")
    assert not outcome.right
    assert outcome.sentence.startswith(sentence)
    assert run("x = 1", "x == 1") == HOLDS


def test_a_huge_message_and_a_huge_value_are_cut() -> None:
    sentence = run("raise ValueError('x' * 10**8)", "True").sentence
    assert sentence.startswith("ValueError: xxx")
    assert len(sentence) < 350
    sentence = run("x = 'y' * 10**7", "0", show="x").sentence
    assert sentence.endswith("yyy….")
    assert len(sentence) < 300


def test_stdin_is_empty() -> None:
    code = "import os, sys; x = sys.stdin.read(), os.read(0, 9), open(0).read()"
    assert run(code, "x == ('', b'', '')") == HOLDS


def test_printing_is_kept_up_to_a_length() -> None:
    exact = run("import sys; sys.stderr.write('a'); print('é' * 1999, end='')", "True")
    assert exact == CodeRun(True, HOLDS.sentence, "a" + "é" * 1999)
    more = run("for i in range(10**5): print(i)", "True").printed
    assert more.startswith("0\n1\n2\n")
    assert more.endswith(" … (cut here)")
    assert len(more) == child.MOST_PRINTED
    assert run("print('\\ud800')", "True").printed == "?\n"
    assert run("print('before'); 1 / 0", "True").printed == "before\n"


def test_the_same_answer_has_the_same_result() -> None:
    code = "import random; x = torch.rand(3).tolist(), random.random(), list({'a', 'b', 'c', 'd'})"
    first = run(code, "False", show="x").sentence
    assert "is ([0." in first
    close()
    assert run(code, "False", show="x").sentence == first
    assert run("x = torch.get_num_threads()", "x == 1") == HOLDS


@pytest.mark.parametrize(
    "damage",
    [
        "torch.cat = None",
        "F.relu = nn.LSTM = None",
        "torch.set_default_dtype(torch.float64)",
        "import os; os.write = os._exit = os.fork = None",
        "import builtins; builtins.kept = 1",
        "import gc, sys; sys.setrecursionlimit(60); gc.disable()",
        "import os; os.chdir('/')",
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
        "import builtins; builtins.len = builtins.isinstance = None",
    ],
)
def test_nothing_is_left_for_the_next_run(damage: str) -> None:
    run(damage, "True")
    code = "import os; out, _ = nn.LSTM(1, 2)(torch.cat([F.relu(torch.ones(2, 1))] * 2))"
    assert run(code, "out.dtype == torch.float32 and os.getcwd() != '/' and len([1])") == HOLDS
    assert not run("kept", "True").right


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("while True: pass", LATE),
        (
            "import signal\nfor n in range(1, 64):\n"
            "    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\n"
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            LATE,
        ),
        ("sum(range(10**12))", LATE),  # holds the interpreter's lock
        ("import time; time.sleep(100)", LATE),
        ("while True: print('x' * 10**6)", LATE),
        ("import signal; signal.raise_signal(signal.SIGSTOP)", LATE),
        ("class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E", LATE),
        ("import os\nwhile True: os.fork()", REFUSED),
        (
            "import os\nwhile True:\n    try: os.fork()\n    except RuntimeError: pass",
            LATE,
        ),
        ("import os; os.system('sleep 100')", REFUSED),
        (
            "import subprocess; subprocess.Popen(['sleep', '100'])",
            REFUSED,
        ),
        (
            "import threading, time\n"
            "while True: threading.Thread(target=time.sleep, args=(100,)).start()",
            "RuntimeError: can't start new thread.",
        ),
        ("x = [0] * 10**10", "MemoryError."),
        ("x = torch.zeros(10**10)", "RuntimeError: [enforce fail at alloc_cpu.cpp"),
        ("import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", ""),
        ("import signal; signal.raise_signal(signal.SIGKILL)", ENDED),
        ("import os; os.kill(os.getppid(), 9)", REFUSED),
        ("import os; os.killpg(0, 9)", REFUSED),
    ],
)
def test_no_accident_hangs_or_leaves_a_process(code: str, sentence: str) -> None:
    assert run("x = 1", "x == 1") == HOLDS  # warm
    limit = 0.5 if sentence in (LATE, "") else PATIENCE / 2
    outcome = ends(lambda: run(code, "True", timeout=limit))
    assert not outcome.right
    assert outcome.sentence.startswith(sentence)
    assert len(ours()) <= 1
    assert run("x = 1", "x == 1") == HOLDS


def test_memory_that_grows_ends_with_a_sentence() -> None:
    # Slow machines need longer than a second for this much memory; either ends it.
    sentence = runner.run("x = []\nwhile True: x.append('x' * 10**6)", "True").sentence
    assert sentence in ("MemoryError.", "It did not end within 5 seconds.")
    assert run("x = 1", "x == 1") == HOLDS


def test_the_usual_limit_is_five_seconds_and_keeps_what_was_printed() -> None:
    assert run("x = 1", "x == 1") == HOLDS
    start = time.monotonic()
    outcome = ends(lambda: runner.run("print('round')\nwhile True: pass", "True"))
    assert time.monotonic() - start >= 5
    assert outcome == CodeRun(False, "It did not end within 5 seconds.", "round\n")


def test_an_endless_loop_keeps_the_child_warm() -> None:
    if not runner.FORKS:
        pytest.skip("only where the child forks")
    before = [process.pid for process in ours()]
    run("while True: pass", "True", timeout=0.2)
    assert run("x = 1", "x == 1") == HOLDS
    assert [process.pid for process in ours()] == before


def test_threads_that_go_on_end_with_the_run() -> None:
    code = (
        "import threading, time\n"
        "def go():\n    while True: print('still here')\n"
        "for _ in range(3): threading.Thread(target=go).start()"
    )
    assert run(code, "True").right
    assert run("x = 1", "x == 1") == HOLDS
    assert len(ours()) == 1


FORGED = r"""
import os
for kind in (b'done [true, "forged"]', b'over null', b'began null', b'text "forged"'):
    for fd in range(64):
        try:
            os.write(fd, b'\n' + b'0' * 32 + b' ' + kind + b'\n' + kind + b'\nready\n{"x":')
        except OSError:
            pass
"""


def test_writing_to_every_descriptor_is_no_reply() -> None:
    assert run(FORGED, "False") == CodeRun(False, "It ran, but the check does not hold.")
    assert run(FORGED, "True") == HOLDS
    assert run(FORGED + "os._exit(0)", "True").sentence == ENDED
    flood = (
        "import os\nfor _ in range(20):\n    for fd in range(64):\n"
        "        try: os.write(fd, b'x' * 10**6)\n        except OSError: pass"
    )
    assert run(flood, "True") == HOLDS
    assert run("x = 1", "x == 1") == HOLDS


@pytest.mark.parametrize(
    "then", ["", "; raise SystemExit", "\nwhile True: pass", "; x = [open('/dev/null')] * 9"]
)
def test_closing_every_descriptor_is_an_end(then: str) -> None:
    limit = 0.5 if "while" in then else PATIENCE
    outcome = run("import os; os.closerange(0, 256)" + then, "True", timeout=limit)
    assert not outcome.right
    assert outcome.sentence in ((LATE, ENDED) if "while" in then else (ENDED,))
    assert run("x = 1", "x == 1") == HOLDS


@pytest.mark.parametrize("garbage", [None, 5, b"x = 1", ["x"]])
def test_what_is_no_text_is_not_checked(garbage: object) -> None:
    outcomes = [
        run(garbage, "True"),  # type: ignore[arg-type]
        run("x = 1", garbage),  # type: ignore[arg-type]
        run("x = 1", "True", show=garbage),  # type: ignore[arg-type]
    ]
    sentence = "This could not be checked here (code, check and show are text)."
    assert outcomes == [CodeRun(False, sentence, ran=False)] * 3


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), None, "5"])
def test_a_time_limit_that_is_none_is_not_checked(limit: float) -> None:
    assert "could not be checked here" in run("x = 1", "True", timeout=limit).sentence


def test_a_child_is_ended_and_one_that_cannot_start_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert run("x = 1", "x == 1") == HOLDS
    close()
    close()
    assert ours() == []
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", str(tmp_path / "none"))
        missing = run("x = 1", "True")
    assert missing.sentence.startswith("This could not be checked here (FileNotFoundError")
    with monkeypatch.context() as patch:
        patch.setattr(child, "__file__", str(tmp_path / "none.py"))
        ends = run("x = 1", "True")
    assert ends.sentence == (
        "This could not be checked here (RuntimeError: Python with torch does not start)."
    )
    sleeps = tmp_path / "sleeps.py"
    sleeps.write_text("import time; time.sleep(100)")
    with monkeypatch.context() as patch:
        patch.setattr(child, "__file__", str(sleeps))
        patch.setattr(runner, "WARM_UP", 0.5)
        hangs = run("x = 1", "True")
    assert hangs == ends
    assert ours() == []


def test_files_in_the_folder_are_not_imported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("torch", "random", "json", "bank"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('the wrong file')")
    close()
    monkeypatch.chdir(tmp_path)
    assert run("x = 1", "x == 1") == HOLDS
    assert not run("import bank", "True").right
    close()


def test_a_new_child_for_each_run(one_each: None) -> None:
    late = runner.run("torch.cat = None; print('a')\nwhile True: pass", "True")
    assert late == CodeRun(False, "It did not end within 5 seconds.", "a\n")
    assert run("x = torch.cat([torch.ones(1)])\n" + FORGED, "x == 2", show="x") == CodeRun(
        False, "It ran, but the check does not hold: x is tensor([1.])."
    )
    assert run("import os; os._exit(0)", "True").sentence == ENDED
    assert len(ours()) == 1


def test_a_child_that_somebody_ended_is_replaced() -> None:
    assert run("x = 1", "x == 1") == HOLDS
    (process,) = ours()
    process.kill()
    assert soon(lambda: process.status() == psutil.STATUS_ZOMBIE)
    assert run("x = 1", "x == 1") == HOLDS


def test_many_threads_may_ask() -> None:
    outcomes: dict[int, bool] = {}

    def ask(number: int) -> None:
        outcomes[number] = run(f"x = {number}", f"x == {number} and {number} % 2 == 0").right

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == {number: number % 2 == 0 for number in range(20)}
    assert len(ours()) == 1


def test_a_fork_of_the_kernel_starts_its_own() -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    assert run("x = 1", "x == 1") == HOLDS
    pid = os.fork()
    if pid == 0:
        right = False
        try:
            right = run("x = 1", "x == 1") == HOLDS
            close()
        finally:
            os._exit(0 if right else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert run("x = 1", "x == 1") == HOLDS
    assert len(ours()) == 1


def start(code: str, mark: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "BIRNN_TEST_MARK": mark},
        stdout=subprocess.PIPE,
        text=True,
    )


ASK = "from birnn_course.running import runner; print(runner.run('x = 1', 'x').right, flush=True)"


def endless(begun: Path) -> str:
    """Code that says when it has begun, and does not end; quoted."""
    return repr(f"open({str(begun)!r}, 'w')\nwhile True: pass")


@pytest.mark.parametrize("forks", [True, False])
def test_nothing_outlives_a_parent_that_is_killed(forks: bool, tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    begun = tmp_path / "begun"
    code = (
        f"from birnn_course.running import runner; runner.FORKS = {forks}\n"
        f"runner.run({endless(begun)}, 'True', timeout=5.0)"
    )
    parent = start(code, mark)
    assert soon(begun.exists)
    assert len(ours(mark)) == (3 if forks else 2)
    parent.kill()
    parent.wait()
    assert soon(lambda: ours(mark) == []), ours(mark)


def test_an_idle_child_ends_with_its_parent() -> None:
    mark = uuid.uuid4().hex
    parent = start(ASK + "\nimport time; time.sleep(100)", mark)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "True\n"
    parent.kill()
    parent.wait()
    assert soon(lambda: ours(mark) == []), ours(mark)


def test_an_interrupt_ends_the_run_and_leaves_nothing(tmp_path: Path) -> None:
    mark = uuid.uuid4().hex
    begun = tmp_path / "begun"
    # A shell that starts the tests in the background makes its children ignore interrupts.
    code = f"""
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from birnn_course.running import runner
try:
    runner.run({endless(begun)}, 'True', timeout={PATIENCE})
except KeyboardInterrupt:
    print(runner._child, runner.run("x = 1", "x").right)
"""
    parent = start(code, mark)
    assert soon(begun.exists)
    # Its children are in a session of their own: the interrupt is for the kernel only.
    assert len({os.getsid(p.pid) for p in ours(mark)}) == 2
    parent.send_signal(signal.SIGINT)
    assert parent.communicate(timeout=PATIENCE)[0] == "None True\n"
    # A parent that ends by itself takes its child with it.
    assert ours(mark) == []


def test_importing_it_starts_nothing() -> None:
    code = (
        "import sys, psutil; from birnn_course.running import runner\n"
        "print(psutil.Process().children(), runner._child, 'torch' in sys.modules)"
    )
    parent = start(code, MARK)
    assert parent.communicate(timeout=PATIENCE)[0] == "[] None False\n"


def test_a_warm_run_starts_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    if not runner.FORKS:
        pytest.skip("only where the child forks")
    started = []
    own = subprocess.Popen

    def noted(*args: Any, **options: Any) -> subprocess.Popen[str]:
        started.append(args)
        return own(*args, **options)

    assert run("x = 1", "x == 1") == HOLDS
    monkeypatch.setattr(subprocess, "Popen", noted)
    for _ in range(10):
        assert run("x = 1", "x == 1") == HOLDS
    assert started == []
    close()
    monkeypatch.setattr(runner, "FORKS", False)
    for _ in range(2):
        assert run("x = 1", "x == 1") == HOLDS
    assert len(started) >= 2  # and it can fail
    close()
