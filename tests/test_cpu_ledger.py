"""The ledger charges a folder with what its tests use, processes that they start included."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cpu_ledger import by_folder, most, table

ROOT = Path(__file__).resolve().parent.parent
BUSY = "import time\nwhile time.process_time() < 1: pass\n"
SOURCES = {
    "idle/test_nothing.py": "def test_nothing(): pass",
    "busy/test_itself.py": (
        "import time\n"
        "def test_it():\n"
        "    until = time.process_time() + 1\n"
        "    while time.process_time() < until: pass"
    ),
    "busy/test_child.py": (
        f"import subprocess, sys\ndef test_it(): subprocess.run([sys.executable, '-c', {BUSY!r}])"
    ),
    # It goes on: the processes of a server or a browser outlive the tests that use them.
    "living/test_child.py": (
        "import subprocess, sys\n"
        "def test_it():\n"
        f"    code = {BUSY!r} + 'print(flush=True); input()'\n"
        "    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE}\n"
        "    assert subprocess.Popen([sys.executable, '-c', code], **pipes).stdout.readline()\n"
    ),
}


@pytest.mark.parametrize("processes", ["0", "2"])
def test_each_folder_is_charged_with_what_it_used(tmp_path: Path, processes: str) -> None:
    for name, source in SOURCES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --import-mode=importlib\n")
    command = [sys.executable, "-m", "pytest", "-p", "cpu_ledger", "-n", processes]
    result = subprocess.run(
        [*command, "--dist", "loadfile", "--ledger", "store"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    stored = json.loads((tmp_path / "tests/ledger.json").read_text(encoding="utf-8"))
    assert stored["busy"] >= 2
    assert stored["living"] >= 1
    assert stored["idle"] <= stored["busy"] / 4
    assert "  living/test_child.py" in result.stdout


def test_files_are_summed_over_their_folder_and_the_dearest_are_named() -> None:
    seconds = {"a/x.py": 1.4, "a/y.py": 2.0, "b/c/z.py": 5.0, "starting": 0.5}
    assert by_folder(seconds) == {"a": 3.4, "b/c": 5.0, "starting": 0.5}
    assert most(seconds)[0].split() == ["5", "b/c/z.py"]


def test_a_folder_that_is_new_or_gone_is_in_the_table() -> None:
    rows = [line.split() for line in table({"new": 3.0}, {"gone": 2.0})]
    assert rows == [["now", "stored"], ["gone", "0", "2"], ["new", "3", "0"], ["all", "3", "2"]]
