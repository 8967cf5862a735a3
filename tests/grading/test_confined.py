"""A submission has its own share of the machine, and nothing in common with another one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from patience import PATIENCE, soon

import birnn_course
from birnn_course.errors import CourseError
from birnn_course.sandbox.outside.hosts import Host
from birnn_course.sandbox.outside.pool import Job, Sandbox
from grading.classes import SECONDS

from conftest import require


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    require("bwrap")
    started = Host("many", SECONDS, ())
    started.ready()
    yield started
    started.end()


def test_all_of_the_course_is_loaded_before_a_submission_starts(host: Host) -> None:
    names = [name for name in birnn_course.__all__ if not name.endswith("_explorer")]
    assert len(names) > 30
    cells = [
        "import sys\n"
        "def loaded():\n"
        "    return {name for name in sys.modules if name.startswith('birnn_course')}\n"
        "BEFORE = loaded()",
        f"from birnn_course import {', '.join(names)}",
        "def later():\n    return sorted(loaded() - BEFORE), len(BEFORE)",
    ]
    ran = Sandbox("many", SECONDS, host=host).run(Job(cells, {"later": [()]}))
    assert ran.errors == []
    later, before = ran.outcomes["later"][0].value
    assert later == [] and before > 30


def test_what_the_host_did_first_left_no_name_and_no_result(host: Host) -> None:
    cell = "def names():\n    return sorted(n for n in globals() if not n.startswith('_'))\nnames()"
    ran = Sandbox("many", SECONDS, host=host).run(Job([cell], {"names": [()]}))
    assert ran.errors == []
    alone = {"In", "Out", "exit", "get_ipython", "names", "open", "quit"}
    assert set(ran.outcomes["names"][0].value) <= alone


def test_no_memory_that_can_be_written_is_shared(host: Host) -> None:
    """What was mapped so before a fork, all forks would have in common."""
    (parent,) = psutil.Process(host._process.pid).children()
    lines = Path(f"/proc/{parent.pid}/maps").read_text().splitlines()
    assert len(lines) > 100
    assert [line for line in lines if line.split()[1][1::2] == "ws"] == []


def test_who_has_many_threads_gets_what_time_others_leave(host: Host) -> None:
    """The last one here: it ends the host."""
    many = "import threading, time\nfor _ in range({}):\n    " + (
        "threading.Thread(target=time.sleep, args=(1e4,)).start()\ntime.sleep(1e4)"
    )
    sandbox = Sandbox("many", 10 * PATIENCE, host=host)
    few, more = (
        threading.Thread(target=_run, args=(sandbox, many.format(threads))) for threads in (2, 20)
    )
    few.start()
    assert soon(lambda: _nice(host) == {3: 0})
    more.start()
    assert soon(lambda: _nice(host) == {3: 0, 21: 19})
    sandbox.close()
    few.join(PATIENCE)
    more.join(PATIENCE)


def _run(sandbox: Sandbox, cell: str) -> None:
    with suppress(CourseError):  # it is closed
        sandbox.run(Job([cell], {"f": [()]}))


def _nice(host: Host) -> dict[int, int]:
    """How nice those are that have several threads, by their number."""
    found = {}
    for process in psutil.Process(host._process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found[process.num_threads()] = process.nice()
    return {threads: nice for threads, nice in found.items() if threads > 1}
