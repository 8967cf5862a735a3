"""What works on this machine, in plain words, each found out by trying."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from birnn_course import files
from birnn_course.errors import CourseError
from birnn_course.findings import Finding, Verdict

OPTIONAL = ("GPU", "cuda", "folder", "sandbox")
"""What the course runs without."""


def examine() -> list[Finding]:
    """Try everything the course uses."""
    checks: list[Callable[[], list[Finding]]] = [
        _python, _torch, _jupyter, _words, _folder, _sandbox,
    ]  # fmt: skip
    return [finding for check in checks for finding in check()]


def _python() -> list[Finding]:
    good = sys.version_info >= (3, 11)
    text = platform.python_version() + ("" if good else ", needs 3.11")
    return [Finding("Python", "ok" if good else "problem", text)]


def _torch() -> list[Finding]:
    try:
        import torch
    except Exception as error:  # a broken installation raises all kinds of things
        return [Finding("PyTorch", "problem", f"cannot be imported ({error}); install it again")]
    torch.set_num_threads(1)  # as setup() does in every notebook
    cpu, cpu_step = _device("cpu")
    findings = [Finding("PyTorch", "ok", torch.__version__), cpu]
    if torch.cuda.is_available():
        findings.append(_device("cuda", cpu_step)[0])
    else:
        text = "none that PyTorch can use; the CPU is enough"
        findings.append(Finding("GPU", "not needed", text))
    return findings


def _device(name: str, cpu_step: float | None = None) -> tuple[Finding, float | None]:
    """Whether a BiLSTM trains there, beside a step on the CPU; its milliseconds if it does."""
    import torch

    bad: Verdict = "problem" if name == "cpu" else "not needed"
    try:
        step = _step(name)
    except Exception as error:  # no GPU after all, too little memory, a driver that does not fit
        reason = (str(error) or type(error).__name__).splitlines()[0]
        return Finding(name, bad, f"a BiLSTM does not run: {reason}"), None
    label = torch.cuda.get_device_name() if name == "cuda" else "this computer's processor"
    text = f"{label}; a step of a small BiLSTM took {step:.1f} ms"
    if cpu_step is not None:
        text += f", {cpu_step / step:.1f} times the speed of the CPU"
    return Finding(name, "ok", text), step


def _step(name: str) -> float:
    """Milliseconds of a training step of a BiLSTM; the middle one of five, after a first one."""
    import torch
    from torch import nn

    model = nn.LSTM(32, 64, batch_first=True, bidirectional=True).to(name)
    inputs = torch.randn(32, 20, 32, device=name)
    times = []
    for _ in range(6):
        start = time.perf_counter()
        model(inputs)[0].sum().backward()
        # to read a number, one waits until the GPU has computed it
        float(next(model.parameters()).grad.abs().sum())  # type: ignore[union-attr]
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def _jupyter() -> list[Finding]:
    return [
        _installed("JupyterLab", "jupyterlab"),
        _installed("widgets", "anywidget", "ipywidgets", "jupyterlab_widgets"),
        _installed("figures", "matplotlib"),
    ]


def _installed(subject: str, *packages: str) -> Finding:
    try:
        found = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    except importlib.metadata.PackageNotFoundError as error:
        return Finding(subject, "problem", f"missing; run: pip install {error.name}")
    return Finding(subject, "ok", ", ".join(found))


def _words() -> list[Finding]:
    from birnn_course.data.spelling import read_dictionary

    try:
        text = (
            f"{len(read_dictionary()):,} English words with their sounds; the lessons leave out "
            "the few whose letters cannot be matched with them"
        )
        return [Finding("words", "ok", text)]
    except CourseError as error:
        return [Finding("words", "problem", str(error))]


def _folder() -> list[Finding]:
    where = files.home()
    try:
        where.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=where).close()
    except OSError as error:
        text = f"cannot write in {where} ({error.strerror}): settings and progress are not kept"
        return [Finding("folder", "not needed", text)]
    return [Finding("folder", "ok", str(where))]


def _sandbox() -> list[Finding]:
    """Can a process be shut off from files and network here? Only graders need it."""
    program = shutil.which("bwrap")
    trial = [program or "", "--ro-bind", "/", "/", "--unshare-all", "true"]
    if program is None:
        text = "bubblewrap is not installed; only those who grade need it"
    elif subprocess.run(trial, capture_output=True, check=False).returncode:
        text = "bubblewrap may not make namespaces here; only those who grade need it"
    else:
        return [Finding("sandbox", "ok", "bubblewrap works, for those who grade")]
    return [Finding("sandbox", "not needed", text)]
