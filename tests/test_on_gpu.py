"""The run on a machine with a GPU: what travels there, and no step that keeps others from it."""

from __future__ import annotations

import os
import subprocess
import zipfile
from importlib.metadata import requires
from pathlib import Path

import gpu_pack
import pytest
from gpu_pack import THERE, PackError, collect, names, weigh

from conftest import ROOT

SCRIPT = ROOT / "tools" / "on_gpu.sh"


def steps(folder: Path, lines: str, seconds: int = 100) -> str:
    """The summary after the steps in ``lines``; a step's percent are its seconds."""
    script = f". '{ROOT}/tools/steps.sh'\nbegin '{folder}' {seconds}\n{lines}"
    subprocess.run(["bash", "-uc", script], env=os.environ | {"GRACE": "1"}, check=False)
    return (folder / "summary.txt").read_text(encoding="utf-8")


def test_a_step_that_fails_or_hangs_keeps_no_other_from_running(tmp_path: Path) -> None:
    summary = steps(
        tmp_path,
        "step fails 90 bash -c 'echo it broke; exit 3'\n"
        "step missing 90 no-such-program\n"
        "step hangs 1 sleep 900\n"
        """step deaf 1 bash -c 'trap "" INT TERM; while :; do sleep 900; done'\n"""
        "step good 90 echo it ran\n"
        'tell "$failed failed"',
    )
    assert "== fails: rc 3, " in summary and "    it broke\n" in summary
    assert "== missing: rc 127, " in summary
    assert "== hangs: rc 124, stopped at its limit, " in summary
    assert "== deaf: rc 137, stopped at its limit, " in summary
    assert "== good: rc 0, " in summary and "    it ran\n" in summary
    assert "== 4 failed\n" in summary
    assert (tmp_path / "fails.log").read_text(encoding="utf-8") == "it broke\n"


def test_an_end_at_any_moment_leaves_what_is_known(tmp_path: Path) -> None:
    summary = steps(
        tmp_path,
        'step first 90 echo one\nstep second 90 bash -c "echo two; kill -KILL $$"\nstep third 90 :',
    )
    assert "== first: rc 0, " in summary and "    one\n" in summary
    assert summary.endswith("== second: begins, 90 s at most\n")
    assert (tmp_path / "second.log").read_text(encoding="utf-8") == "two\n"


def test_what_there_is_no_time_for_is_said(tmp_path: Path) -> None:
    summary = steps(tmp_path, 'step late 90 echo never\ntell "$failed failed"', seconds=0)
    assert summary == "== late: not run, no time is left\n== 1 failed\n"


def test_the_whole_run_with_a_python_that_always_fails(tmp_path: Path) -> None:
    python, out = tmp_path / "python", tmp_path / "out"
    python.write_text('#!/bin/sh\necho "called with $*"\nexit 5\n', encoding="utf-8")
    python.chmod(0o755)
    done = subprocess.run(
        ["bash", SCRIPT, "--python", python, out], capture_output=True, check=False
    )
    assert done.returncode == 1
    summary = (out / "summary.txt").read_text(encoding="utf-8")
    for step in ("install", "doctor", "tests", "notebooks", "training", "speller"):
        assert f"== {step}: rc 5, " in summary
    assert len(list(out.iterdir())) == 8

    def called(step: str) -> list[str]:
        return (out / f"{step}.log").read_text(encoding="utf-8").split()

    # strictly, and all: as `make nbval` does
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (options,) = (line for line in makefile.splitlines() if line.startswith("NBVAL := "))
    assert set(options.split()[2:]) > {"--nbval"}
    assert called("notebooks")[-2 - len(options.split()[2:]) :] == [
        *options.split()[2:], "notebooks", "solutions",
    ]  # fmt: skip
    marked = {
        f"tests/{path.name}"
        for path in ROOT.glob("tests/test_*.py")
        if "mark.gpu" in path.read_text(encoding="utf-8") and path.name != Path(__file__).name
    }
    assert marked and marked <= set(called("tests"))
    assert "not gpu" not in " ".join(called("tests"))


def test_what_travels_has_no_torch_and_is_named_once(tmp_path: Path) -> None:
    carried = names("3.12")
    assert {"nbval", "ipykernel", "anywidget", "sktime", "jupyterlab"} <= set(carried)
    assert not [name for name in carried if name.startswith(("torch", "nvidia", "triton", "cuda"))]
    assert not THERE & set(carried)
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    constrained = {gpu_pack.canonicalize_name(line.partition("==")[0]) for line in constraints}
    assert set(carried) <= constrained
    # each name of the list is needed: without it, it would travel
    assert {name for name in THERE if name not in names("3.12", THERE - {name})} == set()


def wheel(folder: Path, name: str, mb: int = 0) -> None:
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        info = f"{name}-1.0.dist-info"
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(f"{info}/RECORD", "")
    if mb:
        os.truncate(path, mb * 10**6)


def test_a_pack_that_is_too_large_is_refused(tmp_path: Path) -> None:
    wheel(tmp_path, "one", mb=20)
    wheel(tmp_path, "two", mb=30)
    assert weigh(tmp_path, 9.9) == (
        "2 wheels, 50.0 MB; with the working tree, 9.9 MB, 59.9 MB of at most 60"
    )
    with pytest.raises(PackError, match=r"Too large: .* 60\.1 MB .* largest is two-1\.0"):
        weigh(tmp_path, 10.1)


def test_two_versions_of_a_package_are_refused(tmp_path: Path) -> None:
    wheel(tmp_path, "one")
    (tmp_path / "one-2.0-py3-none-any.whl").touch()
    with pytest.raises(PackError, match="Two versions of one;"):
        weigh(tmp_path, 0)


def test_a_missing_wheel_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf, pack = tmp_path / "shelf", tmp_path / "pack"
    shelf.mkdir()
    wheel(shelf, "one")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    pack.mkdir()
    wheel(pack, "old")
    collect(["one"], "3.12", pack)
    assert [path.name for path in pack.iterdir()] == ["one-1.0-py3-none-any.whl"]
    with pytest.raises(PackError, match=r"(?s)No wheel for Python 3\.12: missing\. .*missing"):
        collect(["one", "missing"], "3.12", pack)


def test_a_need_that_nobody_knows_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"birnn-course": ["no-such-package"]}.get
    monkeypatch.setattr(gpu_pack, "requires", lambda name: known(name) or requires(name))
    with pytest.raises(PackError, match=r"Python 3\.12 needs no-such-package"):
        names("3.12", frozenset())
