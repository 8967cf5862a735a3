"""Hostile submissions earn nothing and harm nobody; each succeeds against a grader that trusts.

The attacks are in ``hostile.py``, the trusting grader is ``control.py``.
"""

from __future__ import annotations

import csv
import ctypes
import hashlib
import json
import os
import shlex
import shutil
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from nbformat import v4 as nbformat
from patience import PATIENCE

import birnn_course
from birnn_course.cli import main as birnn
from grading import control
from grading.conftest import OneHost, share
from grading.handed_in import half_solved, solved, untouched
from grading.hostile import CELLS, FILES, NOTEBOOK, VICTIM, Attack, HandedIn

from conftest import ROOT, require

UNIT = NOTEBOOK.removesuffix(".ipynb")
SECONDS = 6  # for one submission
JOBS = 4  # most of them wait
SECRET = "sesame-opens-all-doors"
NOBODY = 65534
PACKAGE = Path(birnn_course.__file__).parent
ATTACKS: list[Attack | HandedIn] = [*CELLS, *FILES]
WRONG = """
def read_both_ways(x, forward_weights, backward_weights):
    halves = read_forward(x, forward_weights), read_forward(x.flip(1), backward_weights)
    return torch.cat(halves, dim=-1)
"""
HONEST = {"ada": 15, "bob": 5, "wrong": 13, "zoe": 15, "untouched": 0, VICTIM: 2}
PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture(scope="module")
def bubblewrap() -> str:
    """Bubblewrap that may make user namespaces; without it a failure where CI=true, else a skip."""
    program = require("bwrap")
    tried = subprocess.run(
        [program, "--unshare-all", "--ro-bind", "/", "/", "true"], capture_output=True, text=True
    )
    if tried.returncode != 0:
        message = f"no process can be shut in here: {tried.stderr}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return program


@pytest.fixture(scope="module")
def common() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="birnn-hostile-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# ── what is handed in ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class World:
    """Folders of a lecturer who grades, and the port of a server that is none of a student's."""

    root: Path
    port: int

    def __post_init__(self) -> None:
        for folder in (self.submissions, self.out, self.home, self.nobodys):
            folder.mkdir(parents=True, exist_ok=True)
        for path in (self.home / ".secret", self.nobodys / "diary"):
            path.write_text(SECRET)

    @property
    def submissions(self) -> Path:
        return self.root / "submissions"

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def nobodys(self) -> Path:
        return self.root / "nobodys"

    @property
    def places(self) -> dict[str, Any]:
        names = ("submissions", "out", "home", "nobodys")
        return {name: str(self.root / name) for name in names} | {
            "course": str(ROOT), "port": self.port,
        }  # fmt: skip


def _hand_in(folder: Path, notebook: Any) -> None:
    folder.mkdir(parents=True)
    (folder / NOTEBOOK).write_text(json.dumps(notebook), encoding="utf-8")


def _hand_in_honest(world: World) -> None:
    full, wrong = solved(UNIT), solved(UNIT)
    full.cells.append(nbformat.new_code_cell(f"# {SECRET}"))
    wrong.cells.append(nbformat.new_code_cell(WRONG))
    for name, notebook in {
        "ada": full,
        "bob": half_solved(UNIT, {"seen_by", "best_score"}),
        "wrong": wrong,
        "zoe": full,
        "untouched": untouched(UNIT),
        VICTIM: half_solved(UNIT, {"seen_by"}),
    }.items():
        _hand_in(world.submissions / name, notebook)


def _student(attack: Attack | HandedIn) -> str:
    return (attack.student if isinstance(attack, HandedIn) else "") or f"hostile {attack.name}"


def _plant(attack: Attack | HandedIn, world: World) -> None:
    folder = world.submissions / _student(attack)
    if isinstance(attack, Attack):
        cells = [nbformat.new_code_cell(source) for source in attack.cells(world.places)]
        _hand_in(folder, nbformat.new_notebook(cells=cells))
    else:
        folder.mkdir(parents=True)
        attack.plant(folder, world.places)


@contextmanager
def _servers(unix: Path | None = None) -> Iterator[tuple[int, list[socket.socket]]]:
    """Servers that no student may reach: the port of two of them, and all."""
    tcp, udp, abstract = (
        socket.create_server(("127.0.0.1", 0)),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        socket.socket(socket.AF_UNIX),
    )
    port = tcp.getsockname()[1]
    udp.bind(("127.0.0.1", port))
    abstract.bind(f"\0birnn-{port}")
    servers = [tcp, udp, abstract]
    if unix:
        servers.append(socket.socket(socket.AF_UNIX))
        servers[-1].bind(str(unix))
    for server in servers:
        server.setblocking(False)
        if server is not udp:
            server.listen()
    try:
        yield port, servers
    finally:
        for server in servers:
            server.close()


# ── each succeeds where the grader trusts ───────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def happened(bubblewrap: str, common: Path) -> dict[str, list[str]]:
    """What each attack does to the trusting grader, by its name."""
    root = common / "control"
    package = root / "package"
    root.mkdir()
    shutil.copytree(PACKAGE, package)
    exercises = [sys.executable, "-m", "compileall", "-q", str(package / "exercises")]
    subprocess.run(exercises, check=True)
    (root / "unix").mkdir()
    (root / "tmp").mkdir()
    with _servers(root / "unix" / "socket") as (port, _):
        jobs = [_job(attack, root, port) for attack in ATTACKS]
        (root / "jobs.json").write_text(json.dumps(jobs))
        line = [bubblewrap, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
        line += ["--uid", "1000", "--gid", "1000"]
        line += ["--die-with-parent", "--new-session", "--ro-bind", "/", "/"]
        line += ["--dev", "/dev", "--proc", "/proc", "--bind", str(root), str(root)]
        line += ["--tmpfs", str(root / "tmp")]
        line += ["--bind", str(package), str(PACKAGE)]
        line += [sys.executable, control.__file__, str(root / "jobs.json"), str(root / "results")]
        variables = {"GRADER_SECRET": SECRET, "OMP_NUM_THREADS": "1", "HOME": str(root)}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        subprocess.run(
            [*line, SECRET], env=os.environ | variables | {"PYTHONPATH": path}, check=True,
            timeout=10 * PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    found: dict[str, list[str]] = json.loads((root / "results").read_text())
    return found


def _job(attack: Attack | HandedIn, root: Path, port: int) -> tuple[str, str, dict[str, Any]]:
    # The two with the baton are graded one after the other in one place.
    world = World(root / attack.name.replace("-1-left", "").replace("-2-taken", ""), port)
    if not (world.submissions / "ada").exists():
        for name in ("ada", "bob"):
            _hand_in(world.submissions / name, nbformat.new_notebook())
        (world.submissions / "ada" / NOTEBOOK).write_text(
            json.dumps(nbformat.new_notebook(cells=[nbformat.new_code_cell(f"# {SECRET}")]))
        )
        with suppress(FileExistsError):
            (world.nobodys / "socket").symlink_to(root / "unix" / "socket")
        file = sqlite3.connect(world.out / "grading.sqlite")
        file.executescript(
            "create table run (name text primary key, value text);"
            f"insert into run values ('seed', '{control.SEED}');"
        )
        file.close()
    arguments: dict[str, Any] = {
        "folder": str(world.root), "places": world.places, "temporary": str(root / "tmp"),
        "patient": attack.goal != "stalled",
    }  # fmt: skip
    watched = [world.out, world.home, world.nobodys, world.submissions / "bob"]
    if isinstance(attack, Attack):
        if "/dev/shm" in attack.code:
            watched.append(Path("/dev/shm"))
        if "__file__" in attack.code and attack.goal == "wrote":
            watched.append(PACKAGE)
        if attack.name == "baton-1-left":
            watched.append(world.root)
        arguments |= {
            "cells": attack.cells(world.places), "control": attack.control,
            "exercise": attack.exercise, "earned": attack.earned,
        }  # fmt: skip
    else:
        _plant(attack, world)
    kind = "notebook" if isinstance(attack, Attack) else "files"
    return attack.name, kind, arguments | {"watched": list(map(str, watched))}


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_it_succeeds_where_the_grader_trusts(
    attack: Attack | HandedIn, happened: dict[str, list[str]]
) -> None:
    if isinstance(attack, Attack) and attack.as_root and os.geteuid() != 0:
        pytest.skip("only root can")
    assert attack.goal in happened[attack.name]


# ── none succeeds here ──────────────────────────────────────────────────────────────────────────

Rows = dict[str, list[tuple[str, ...]]]


def _grade(world: World, *options: str, user: int | None = None) -> Rows:
    """Grade by the command; the rows of each student without the name. It ends, with time."""
    command = [sys.executable, "-c", "from birnn_course.cli import main; main()", "grade"]
    command += [str(world.submissions), "-o", str(world.out), "--seed", "7", *options]
    variables = {
        "PATH": os.environ["PATH"], "HOME": str(world.home), "LANG": "C.UTF-8",
        "GRADER_SECRET": SECRET, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }  # fmt: skip
    if user is not None:
        command = _as_user(command, user, world)
    done = subprocess.run(
        command, env=variables, cwd=ROOT, capture_output=True, text=True, timeout=10 * PATIENCE,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return _rows(world)


def _rows(world: World) -> Rows:
    with (world.out / "grades.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    rows: Rows = defaultdict(list)
    for student, _, *rest in table[1:]:
        rows[student].append(tuple(rest))
    return rows


def _as_user(command: list[str], user: int, world: World) -> list[str]:
    """The command line as an ordinary user, who is let in only to what Python needs.

    If that lies in a folder that is closed to others, such as root's home, an open one takes its
    place, for this command only.
    """
    for path in (world.root, *world.root.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)
    needed = {
        Path(name) for name in (sys.prefix, sys.base_prefix, *sys.path) if Path(name).is_dir()
    }
    needed |= {path.resolve() for path in needed} | {
        Path(sys.executable).resolve().parents[1],
        ROOT,
    }
    closed: dict[Path, set[Path]] = defaultdict(set)
    for path in needed:
        for parent in reversed(path.parents):
            if not parent.stat().st_mode & stat.S_IXOTH:
                closed[parent].add(path)
                break
    script = ["set -e"]
    for number, (folder, inside) in enumerate(closed.items()):
        stash = world.root.parent / f"stash-{number}"
        stash.mkdir(exist_ok=True)
        script.append(shlex.join(["mount", "--bind", str(folder), str(stash)]))
        script.append(shlex.join(["mount", "-t", "tmpfs", "-o", "mode=755", "none", str(folder)]))
        for path in sorted(inside):
            script.append(shlex.join(["mkdir", "-p", str(path)]))
            source = stash / path.relative_to(folder)
            script.append(shlex.join(["mount", "--rbind", str(source), str(path)]))
    drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--no-new-privs"]
    script.append(shlex.join(["exec", *drop, "--inh-caps=-all", *command]))
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(script)]


def _tree(*tops: Path) -> dict[str, tuple[int, str]]:
    """What every file holds, and who may do what with it."""
    found = {}
    for top in tops:
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if name != "__pycache__"]
            for name in (*folders, *names):
                path = Path(folder, name)
                mode = path.lstat().st_mode
                held = b""
                if stat.S_ISREG(mode):
                    held = path.read_bytes()
                elif stat.S_ISLNK(mode):
                    held = bytes(path.readlink())
                found[str(path)] = mode, hashlib.sha256(held).hexdigest()
    return found


@contextmanager
def _no_process_left() -> Iterator[None]:
    """What loses its parent becomes a child of this process, and so is found."""
    libc = ctypes.CDLL(None)
    before = set(psutil.Process().children(recursive=True))
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
        ends = time.monotonic() + PATIENCE
        while left := set(psutil.Process().children(recursive=True)) - before:
            for process in left:
                with suppress(psutil.Error, ChildProcessError):
                    if process.status() == psutil.STATUS_ZOMBIE:
                        os.waitpid(process.pid, os.WNOHANG)
            if time.monotonic() > ends:
                break
            time.sleep(0.05)
        assert not left, [process.cmdline() for process in left]
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def alone(bubblewrap: str, common: Path, one_host: OneHost) -> Rows:
    """The marks of the honest when nobody else handed in anything."""
    world = World(common / "alone", 0)
    _hand_in_honest(world)
    with pytest.MonkeyPatch.context() as patch:
        share(one_host, patch)
        command = ["grade", str(world.submissions), "-o", str(world.out), "--seed", "7"]
        done = CliRunner().invoke(birnn, command)
    assert done.exit_code == 0, done.output
    return _rows(world)


def test_honest_ones_alone_get_what_they_earned(alone: Rows) -> None:
    assert {name: sum(int(row[1]) for row in rows) for name, rows in alone.items()} == HONEST
    assert alone["wrong"][0] == ("read_both_ways", "0", "2", "direction", "unflipped-outputs")


USERS = ["as it is", pytest.param("nobody", marks=pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can run as another user"))]  # fmt: skip


@pytest.mark.parametrize("user", USERS)
def test_nobody_earns_or_harms_anything(
    user: str, bubblewrap: str, common: Path, alone: Rows
) -> None:
    root = common / user.replace(" ", "-")
    root.mkdir()
    with _servers(root / "socket") as (port, servers):
        world = World(root / "world", port)
        (world.nobodys / "socket").symlink_to(root / "socket")
        (root / "socket").chmod(0o777)
        _hand_in_honest(world)
        for attack in ATTACKS:
            _plant(attack, world)
        run_as = NOBODY if user == "nobody" else None
        if run_as:
            _as_user([], run_as, world)
        untouchable = (world.submissions, world.home, world.nobodys, PACKAGE)
        before = _tree(*untouchable)
        with _no_process_left():
            rows = _grade(world, "--timeout", str(SECONDS), "--jobs", str(JOBS), user=run_as)
        for server in servers:
            with pytest.raises(BlockingIOError):
                server.recv(1) if server.type == socket.SOCK_DGRAM else server.accept()
    assert _tree(*untouchable) == before
    assert {name: rows[name] for name in HONEST} == alone
    earned = {_student(attack): attack.earned for attack in CELLS}
    assert earned.keys() <= rows.keys()
    points = {name: sum(int(row[1]) for row in rows[name]) for name in rows.keys() - HONEST.keys()}
    assert {name: n for name, n in points.items() if n != earned.get(name, 0)} == {}
    assert not any(Path(name).exists() for name in ("/dev/shm/planted", "/tmp/baton"))
    _assert_reports_are_harmless(world)


def _assert_reports_are_harmless(world: World) -> None:
    files = [path for path in world.out.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20 * 2**20
    for path in files:
        held = path.read_bytes()
        for found_out in (b"GOT ", SECRET.encode(), b"\x1b["):
            assert found_out not in held, (path, held[held.index(found_out) :][:200])
    for path in world.out.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            cells = [cell for row in csv.reader(file) for cell in ";".join(row).split(";")]
        assert not any(cell.strip().startswith(("=", "+", "-", "@")) for cell in cells)
    pages = [path.read_text("utf-8") for path in (world.out / "feedback").glob("*.html")]
    assert not any("<script>alert" in page for page in pages)
    assert "<script>alert" not in (world.out / "class.html").read_text("utf-8")
    assert sum(f">{VICTIM}<" in page or VICTIM in page for page in pages) == 1
