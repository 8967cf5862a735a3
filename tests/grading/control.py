"""How a lecturer would grade who trusts everybody: what each hostile submission has to beat.

Notebooks are executed in the grader's own process, which knows the answers and has them on the disk
beside it; its verdict goes to standard output. ``python control.py JOBS RESULTS`` does so for each
job in a fork; it is to be run in bubblewrap with a process namespace, since some attacks kill all
that they can reach.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import hashlib
import io
import json
import math
import os
import pickle
import re
import resource
import select
import signal
import socket
import stat
import sys
import threading
import time
import zipfile
from contextlib import suppress
from datetime import datetime
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any

import msgpack
import numpy
import torch

SEED = 7
# Beside other work everything takes longer, the attacks too.
_BUSY = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
SECONDS = 1.0 * _BUSY  # for a cell or a function, by the clock that can be ignored
PATIENCE = 2.0 * _BUSY  # seconds after which the grader counts as stalled
FLOOD = 10 * 2**20
MEMORY = 6 * 2**30
_UNSHARED = 0x10000000 | 0x20000000 | 0x00020000  # user, process and mount namespaces
_libc = ctypes.CDLL(None, use_errno=True)


def main(jobs: Path, results: Path, workers: int = 3) -> None:
    """Each job is ``[name, kind, arguments]``; the results are lists of what happened, by name."""
    for name in ("IPython.core.interactiveshell", "birnn_course.exercises.checking"):
        import_module(name)  # once, and not in each fork
    from birnn_course.exercises.checking import EXERCISES

    EXERCISES["read_both_ways"].draw(SEED, hidden=True)  # torch 2.8 imports sympy at the first draw
    torch.set_num_threads(1)
    todo = json.loads(jobs.read_text())
    pids = []
    for worker in range(workers):
        pid = os.fork()
        if pid == 0:
            found = {job[0]: _in_namespaces(*job) for job in todo[worker::workers]}
            Path(f"{results}.{worker}").write_text(json.dumps(found))
            os._exit(0)
        pids.append(pid)
    for pid in pids:
        os.waitpid(pid, 0)
    found = {}
    for worker in range(workers):
        found |= json.loads(Path(f"{results}.{worker}").read_text())
    results.write_text(json.dumps(found))


def _patience(arguments: dict[str, Any]) -> float:
    """What is expected to stall has little; all else may take the time that it takes."""
    return 30 * PATIENCE if arguments.get("patient") else PATIENCE


def _in_namespaces(name: str, kind: str, arguments: dict[str, Any]) -> list[str]:
    """What happens when a job runs where it can kill nobody but its grader."""
    folder = Path(arguments["folder"])
    before = _tree(arguments["watched"])
    outside = os.fork()
    if outside == 0:
        user, group = os.geteuid(), os.getegid()
        assert _libc.unshare(_UNSHARED) == 0
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
        first = os.fork()
        if first == 0:
            _first_process(folder, kind, arguments)
        os.waitpid(first, 0)
        os._exit(0)
    os.waitpid(outside, 0)
    verdict = folder / "verdict.json"
    happened: list[str] = json.loads(verdict.read_text()) if verdict.exists() else ["died"]
    verdict.unlink(missing_ok=True)
    if _tree(arguments["watched"]) != before:
        happened.append("wrote")
    return happened


def _first_process(folder: Path, kind: str, arguments: dict[str, Any]) -> None:
    """Waits for the grader's parent, which an attack may kill."""
    parent = os.fork()
    if parent == 0:
        os.setsid()
        with suppress(MemoryError):  # it died, without the seconds that torch takes to tidy up
            happened = _watch(kind, arguments)
            (folder / "verdict.json").write_text(json.dumps(happened))
        os._exit(0)
    ends = time.monotonic() + _patience(arguments) + 2
    while time.monotonic() < ends:
        if os.waitpid(parent, os.WNOHANG)[0]:
            os._exit(0)
        time.sleep(0.02)
    (folder / "verdict.json").write_text('["stalled"]')
    os._exit(0)


def _tree(watched: list[str]) -> dict[str, str]:
    """What every file in some folders holds."""
    found = {}
    for top in watched:
        for folder, folders, names in os.walk(top):
            for name in (*folders, *names):
                path = Path(folder, name)
                mode = path.lstat().st_mode
                known = path.read_bytes() if stat.S_ISREG(mode) else str(stat.S_IFMT(mode)).encode()
                found[str(path)] = hashlib.sha256(known).hexdigest()
    return found


def _watch(kind: str, arguments: dict[str, Any]) -> list[str]:
    """The grader's parent: starts it, waits, reads its verdict."""
    out, theirs = os.pipe()
    line, grader_line = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        _become_the_grader(theirs)
        line.close()
        os.chdir(arguments["folder"])
        os.environ["TMPDIR"] = arguments["temporary"]
        status = 1
        try:
            if kind == "notebook":
                _grade(arguments["cells"], arguments, grader_line)
            else:
                _collect(Path(arguments["folder"]), arguments["places"])
            status = 0
        except BaseException as error:
            print("the grader ended", type(error).__name__)
        # As an ordinary end, without the second that torch takes to tidy up.
        with suppress(BaseException):
            threading._shutdown()
            atexit._run_exitfuncs()
        sys.stdout.flush()
        os._exit(status)
    os.close(theirs)
    grader_line.close()
    _limit_memory(2**28)
    gc.disable()
    text, flooded, ends = bytearray(), False, time.monotonic() + _patience(arguments)
    happened: list[str] = []
    points = None
    read_from: list[Any] = [out, line] if arguments.get("control") == "wire" else [out]
    while True:
        ready, _, _ = select.select(read_from, [], [], max(0, ends - time.monotonic()))
        if not ready:
            happened.append("stalled")
            os.kill(pid, signal.SIGKILL)
            break
        if line in ready:
            read_from.remove(line)
            line.settimeout(SECONDS)
            try:
                points = _received(line)["points"]
            except TimeoutError:
                return ["stalled"]
            except (KeyError, TypeError, EOFError):
                points = None
        if out in ready:
            piece = os.read(out, 2**20)
            if not piece:
                break
            flooded = flooded or len(text) > FLOOD
            if not flooded:
                text += piece
    status = os.waitpid(pid, 0)[1]
    if flooded:
        happened.append("flooded")
    if b"GOT " in text:
        happened.append("got")
    result = re.search(rb"^RESULT (.*)$", text, re.MULTILINE)
    if result and result[1].startswith(b"packed "):
        points = msgpack.unpackb(bytes.fromhex(result[1][7:].decode()))["points"]
    elif result:
        points = json.loads(result[1])["points"]
    if points is None and not happened and (status != 0 or result is None):
        happened.append("died")
    elif points is not None and points > arguments.get("earned", 0):
        happened.append("points")
    return happened


def _become_the_grader(out: int) -> None:
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(10, 64)
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stdout
    _limit_memory(MEMORY)


def _limit_memory(beyond: int) -> None:
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + beyond, -1))


def _received(line: socket.socket) -> Any:
    """A message, believed."""
    from birnn_course.sandbox import wire

    length = int.from_bytes(wire._exactly(line, 4, None), "big")
    value = msgpack.unpackb(wire._exactly(line, length, None), strict_map_key=False)
    if isinstance(value, list) and len(value) == 4 and value[0] == 3:
        math.prod(value[2])  # so many numbers
    return _believed(value)


def _believed(value: Any) -> Any:
    """Tuples and dicts of what travels as a list; see ``wire``."""
    if not isinstance(value, list) or not value:
        return value
    tag, *items = value
    items = [_believed(item) for item in items]
    if tag == 2:
        return dict(zip(items[::2], items[1::2], strict=True))
    return tuple(items) if tag == 1 else items


class _Late(BaseException):
    pass


def _limited(work: Any, *arguments: Any) -> Any:
    """Call with a limit that trusts signals."""

    def stop(*_: object) -> None:
        raise _Late

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return work(*arguments)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _grade(cells: list[str], arguments: dict[str, Any], line: socket.socket) -> None:
    from birnn_course.exercises.checking import EXERCISES, PUBLIC_SEED, run_cases

    mode, seed = arguments["control"], SEED
    names = [arguments["exercise"]]
    if mode == "all functions":
        names = ["read_both_ways", "best_score", "seen_by"]
    todo = []
    for name in names:
        exercise = EXERCISES[name]
        public = mode == "public"
        cases = exercise.draw(PUBLIC_SEED if public else seed, hidden=not public)
        todo.append((exercise, cases, [exercise.reference(*case) for case in cases]))
    _, cases, rights = todo[0]
    answers = [(case[0], right) for case, right in zip(cases, rights, strict=True)]
    torch.save(answers, "answers.pt")
    if mode == "asserts":
        print("RESULT", json.dumps({"points": _assert(cells, names[0], todo[0][1], todo[0][2])}))
        return
    space: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        try:
            _limited(exec, cell, space)
        except _Late:
            continue
        except Exception as error:
            print("error", error)
    points = 0
    for exercise, cases, rights in todo:
        function = space.get(exercise.name)
        if mode == "run_cases":
            points += run_cases(exercise, function, cases).points
            continue
        right = 0
        for case, expected in zip(cases, rights, strict=True):
            try:
                got = _limited(function, *case)
            except _Late:
                break
            except Exception as error:
                print("error", error)
                break
            if mode == "pickle":
                got = pickle.loads(pickle.dumps(got))
            if mode == "torch.load":
                got = torch.load(io.BytesIO(got), weights_only=False)
            print("it returned", got if isinstance(got, dict) else type(got))
            right += _same(got, expected, mode)
        points += exercise.points if right == len(cases) else 0
    if mode == "wire":
        from birnn_course.sandbox import wire

        wire.send(line, {"points": points})
    elif mode == "msgpack":
        print("\nRESULT packed", msgpack.packb({"points": points}).hex())
    else:
        print("\nRESULT", json.dumps({"points": points}))


def _same(got: Any, expected: Any, mode: str) -> bool:
    """As it is compared in a hurry."""
    if mode == "numpy":
        return bool(numpy.allclose(got, expected))
    if mode == "difference":
        return bool(abs(got - expected) <= 1e-5)
    if mode == "isinstance":
        return isinstance(got, float) and bool(got == expected)
    if mode == "not worse" and isinstance(got, torch.Tensor):
        return not bool(((got - expected).abs() > 1e-5).any())
    if mode == "not worse":
        return not abs(got - expected) > 1e-5
    if mode == "relative":
        return not abs(got - expected) > 1e-5 * abs(got)
    if mode == "json":
        got, expected = ((v.tolist() if hasattr(v, "tolist") else v) for v in (got, expected))
        return bool(json.loads(json.dumps(got)) == json.loads(json.dumps(expected)))
    if isinstance(expected, torch.Tensor):
        return isinstance(got, torch.Tensor) and bool(torch.allclose(got, expected, atol=1e-5))
    return bool(got == expected)


def _assert(cells: list[str], name: str, cases: Any, rights: Any) -> int:
    """Cells with ``assert`` after the student's, in IPython."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = InteractiveShell.instance(config=config)
    for cell in cells:
        shell.run_cell(cell)
    shell.user_ns |= {"CASES": cases, "RIGHTS": rights}
    test = f"assert all(torch.allclose({name}(*c), r) for c, r in zip(CASES, RIGHTS))"
    return 2 if shell.run_cell(test).success else 0


# ── what is handed in ───────────────────────────────────────────────────────────────────────────


def _collect(folder: Path, places: dict[str, Any]) -> None:
    """Read all that was handed in, and write down whose it is."""
    submissions = Path(places["submissions"])
    jobs = 0
    for top, _, names in os.walk(submissions, followlinks=True):
        for name in names:
            path = Path(top, name)
            if name.endswith(".zip"):
                jobs += _unpack(path.parent, path.read_bytes())
            elif name.endswith(".json"):
                times = [entry["at"] for entry in json.loads(path.read_text())["attempts"]]
                print(min(datetime.fromisoformat(at) for at in times))
            else:
                _read(path)
    for student in (path.name for path in submissions.iterdir()):
        os.system(f"cd {places['nobodys']}; ls {student} >/dev/null 2>&1")
        row = f"{student};2"
        if any(cell.startswith(("=", "+", "-", "@")) for cell in row.split(";")):
            print("GOT a formula")
        if "<script" in f"<td>{student}</td>" or not student.isprintable():
            print("GOT into the page")
        if student == f"student-{hashlib.sha256('学'.encode()).hexdigest()[:8]}":
            Path(places["out"], f"{student}.html").write_text("the page of 学")
    print('\nRESULT {"points": 0}')


def _read(path: Path) -> None:
    size = 0
    with path.open("rb") as file:
        while piece := file.read(2**20):
            size += len(piece)
            if size > 2 * FLOOD:
                print("x" * (2 * FLOOD))
                return
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cells = json.loads(path.read_text())["cells"]
    if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > before + 300_000:  # kB
        print("x" * (2 * FLOOD))
        return
    sources = ["".join(cell["source"]) for cell in cells]
    if len(sources) > 2_000:
        print("x" * (2 * FLOOD))
    if any("def read_both_ways" in source and "return" in source for source in sources):
        print('\nRESULT {"points": 2}')


def _unpack(folder: Path, data: bytes) -> int:
    archive = zipfile.ZipFile(io.BytesIO(data))
    jobs = size = 0
    for info in archive.infolist():
        print("from", PurePosixPath(info.filename).parts[0])
        inside = archive.read(info)
        size += len(inside)
        jobs += 1
        target = Path(os.path.join(folder, info.filename))  # noqa: PTH118
        if jobs > 1_000:
            print("x" * (2 * FLOOD))
            break
        if info.filename.endswith(".zip"):
            jobs += _unpack(folder, inside)
        elif stat.S_ISLNK(info.external_attr >> 16):
            target.symlink_to(inside.decode())
            print("GOT", target.read_text()[:20])
        elif size > 2 * FLOOD:
            print("x" * (2 * FLOOD))
            break
        elif jobs < 50:
            with suppress(OSError):
                target.write_bytes(inside)
    return jobs


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
