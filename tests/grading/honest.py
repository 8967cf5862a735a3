"""What honest work calls of the system: each part in turn, where any call off the list is the end.

``python honest.py PART …`` prints the name of each part that was done. It needs nothing but the
standard library for the parts ``files``, ``threads``, ``waiting`` and ``programs``, so that each
Python that there is can be tried.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def files() -> None:
    """What Python does with files of its own folder, and reading those of others."""
    with tempfile.TemporaryDirectory() as folder:
        own = Path(folder, "a")
        own.write_text("a")
        for copied in (shutil.copy, shutil.copy2, shutil.copyfile):
            copied(__file__, Path(folder, "b"))
        own.rename(Path(folder, "c"))
        Path(folder, "d").symlink_to("c")
        Path(folder, "e", "f").mkdir(parents=True)
        shutil.copytree(Path(folder, "e"), Path(folder, "g"))
        shutil.make_archive(str(Path(folder, "z")), "zip", folder)
        zipfile.ZipFile(Path(folder, "z.zip")).extractall(Path(folder, "out"))
        os.utime(Path(folder, "c"))
        assert sorted(Path(folder).iterdir())
        with tempfile.TemporaryFile() as file:
            file.write(bytes(10))
            file.flush()
            file.truncate(5)
            os.fsync(file.fileno())
            assert os.isatty(file.fileno()) is False
        os.set_inheritable(os.dup(0), True)
    assert os.getpid() and os.getuid() >= 0 and os.uname() and os.cpu_count()
    assert Path(__file__).resolve().exists() and Path.cwd()


def threads() -> None:
    """Starting threads, waiting for them and for each other."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(abs, range(-100, 0))) == 5050
    lock, event = threading.Condition(), threading.Event()
    waiting = threading.Thread(target=event.wait)
    waiting.start()
    with lock:
        assert not lock.wait(0.01)
    event.set()
    waiting.join()
    threading.Timer(0.01, event.clear).start()
    local = threading.local()
    local.value = random.random()


def waiting() -> None:
    """Clocks, signals, pipes, asyncio, and programs, of which there is none."""
    import signal

    time.sleep(0.01)
    assert time.time() and time.perf_counter() and time.process_time() and time.thread_time()
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    os.kill(os.getpid(), signal.SIGALRM)
    signal.raise_signal(signal.SIGALRM)

    async def first() -> int:
        await asyncio.sleep(0.01)
        return await asyncio.to_thread(sum, [1, 2])

    assert asyncio.run(first()) == 3


def programs() -> None:
    """They are refused as Python expects it."""
    for start in (subprocess.run, subprocess.check_output):
        try:
            start([sys.executable, "-c", "1"])
        except OSError as error:
            assert error.errno == errno.EPERM, error
        else:
            raise AssertionError("it ran")


def ipython() -> None:
    """Cells, with mistakes and magics, and one that awaits."""
    for cell in (
        "x = 1\nx + 1", "1 / 0", "def broken(:", "%timeit -n1 -r1 x", "%%time\nx", "%whos",
        "import asyncio\nawait asyncio.sleep(0.01)\ny = 3", "help(len)", "len?",
    ):  # fmt: skip
        SHELL.run_cell(cell)
    assert SHELL.user_ns["y"] == 3


def pytorch() -> None:
    """Training every kind of network, packing, saving and loading."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    for kind in (nn.RNN, nn.GRU, nn.LSTM):
        network = kind(3, 4, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
        best = torch.optim.Adam(network.parameters())
        for _ in range(2):
            packed = pack_padded_sequence(
                torch.randn(5, 7, 3), torch.tensor([7, 6, 3, 2, 1]), batch_first=True
            )
            output, _ = pad_packed_sequence(network(packed)[0], batch_first=True)
            output.square().mean().backward()
            best.step()
        with tempfile.TemporaryDirectory() as folder:
            torch.save(network.state_dict(), Path(folder, "kept"))
            network.load_state_dict(torch.load(Path(folder, "kept"), weights_only=True))
            torch.load(Path(folder, "kept"), weights_only=True, mmap=True)
    large = torch.randn(600, 600)
    assert (large @ large).isfinite().all() and torch.linalg.svd(large[:50, :50])
    torch.set_num_threads(4)
    assert (large @ large).sum() != 0
    data = torch.utils.data.DataLoader(torch.arange(10), batch_size=3, shuffle=True)
    assert len(list(data)) == 4
    assert repr(large) and large.numpy().mean() is not None and torch.randperm(5).tolist()
    torch.jit.script(nn.Linear(2, 2))


def matplotlib() -> None:
    """Pictures in all its formats."""
    import io

    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2)
    axes[0].plot([1, 2, 3], label="$x^2$ é")
    axes[1].imshow([[1, 2], [3, 4]])
    axes[0].legend()
    for kind in ("png", "svg", "pdf"):
        figure.savefig(io.BytesIO(), format=kind)
    with tempfile.TemporaryDirectory() as folder:
        figure.savefig(Path(folder, "kept.png"))
        plt.imread(Path(folder, "kept.png"))
    plt.show()
    plt.close("all")


def solutions() -> None:
    """The notebooks with all solutions, as a submission runs, and their functions called."""
    from birnn_course.sandbox.inside import host

    exercises = import_module("birnn_course.exercises").EXERCISES
    host._stand_in_for_what_knows_answers()
    for path in sorted(Path(__file__).parents[2].glob("solutions/*_exercises.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert SHELL.run_cell("".join(cell["source"])).success, (path.name, cell["source"])
    for name, exercise in exercises.items():
        for case in exercise.draw(0, hidden=False)[:2]:
            SHELL.user_ns[name](*case)


def off_the_list() -> None:
    """What is not honest, to show that it ends here."""
    os.sync()


PARTS: dict[str, Callable[[], None]] = {
    part.__name__: part
    for part in (files, threads, waiting, programs, ipython, pytorch, matplotlib, solutions,
                 off_the_list)
}  # fmt: skip
BEFORE = {  # what the host has loaded before a submission starts
    "pytorch": ("torch", "torch.nn.utils.rnn"),
    "matplotlib": ("matplotlib.pyplot",),
    "solutions": ("birnn_course.exercises",),
}
DONE_WITHOUT = {
    "sendfile": "shutil then reads and writes",
    "fadvise64": "advice that a library gives about a file which it reads",
    "mbind": "a wish of an allocator for memory that is near",
    "socket": "to ask for a user's name, which is then looked up in a file",
}
"""What honest work tries, and does without if it is refused."""
SHELL: Any = None


def main(parts: list[str]) -> None:
    """Load what is loaded before, then the filter, then do the parts."""
    import pyseccomp

    from birnn_course.sandbox.inside.calls import system_call_filter

    global SHELL
    for part in parts:
        for name in BEFORE.get(part, ()):
            import_module(name)
        if part in ("ipython", "solutions") and SHELL is None:
            from IPython.core.interactiveshell import InteractiveShell
            from traitlets.config import Config

            config = Config()
            config.HistoryManager.enabled = False
            SHELL = InteractiveShell.instance(config=config)
            SHELL.run_cell("1 + 1")
    if "programs" in parts:
        system_call_filter().load()
    else:
        calls = system_call_filter(pyseccomp.KILL_PROCESS)
        for name in DONE_WITHOUT:
            calls.add_rule(pyseccomp.ERRNO(errno.EPERM), name)
        calls.load()
    for part in parts:
        PARTS[part]()
        print("done", part, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
