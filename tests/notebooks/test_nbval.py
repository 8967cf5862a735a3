"""Strict nbval, as the Makefile calls it, catches what it must."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]


def run_nbval(
    folder: Path, *cells: tuple[str, str], conftest: str = "", tag: str = "", **metadata: Any
) -> str:
    """Store cells with these printed outputs, compare them, and return pytest's closing line."""
    notebook = nbformat.v4.new_notebook()
    for count, (source, output) in enumerate(cells, 1):
        cell = nbformat.v4.new_code_cell(source, execution_count=count)
        cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=output)]
        cell.metadata.update({"tags": [tag] if tag else [], **metadata})
        notebook.cells.append(cell)
    nbformat.write(notebook, folder / "planted.ipynb")
    options = re.search(r"^NBVAL := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert options
    arguments = options[1].replace("tests/", f"{ROOT}/tests/").split()
    # the conftest finds constraints.txt beside itself
    (folder / "conftest.py").write_text(conftest)
    (folder / "constraints.txt").write_text((ROOT / "constraints.txt").read_text())
    result = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), "-c", os.devnull, *arguments, str(folder)),
        ],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    return result.stdout.strip().splitlines()[-1]


def test_an_equal_output_passes_and_a_changed_one_fails(tmp_path: Path) -> None:
    closing = run_nbval(tmp_path, ("print(1 + 1)", "2\n"), ("print(2 + 2)", "5\n"))
    assert "1 failed, 1 passed" in closing


def test_figures_and_addresses_are_not_compared(tmp_path: Path) -> None:
    figure = "print('data:image/png;base64,AAAA then 0x7f0000000001')"
    stored = "data:image/png;base64,QUJD then 0x7f0000000002\n"
    assert "1 passed" in run_nbval(tmp_path, (figure, stored))


@pytest.mark.parametrize(("torch", "closing"), [("0.0.0", "1 passed"), ("2.13.0", "1 failed")])
def test_messages_are_compared_only_on_the_constrained_torch(
    tmp_path: Path, torch: str, closing: str
) -> None:
    # the project's own hook, told that another torch is installed
    conftest = (ROOT / "conftest.py").read_text() + (
        f"\ndef installed_torch(): return {torch!r}\ndef constrained_torch(): return '2.13.0'\n"
    )
    cell = ("print('Error: new wording')", "Error: old wording\n")
    assert closing in run_nbval(tmp_path, cell, conftest=conftest, tag="torch-message")


def test_each_notebook_starts_with_an_empty_home(tmp_path: Path) -> None:
    source = (
        "import os; home = os.environ['BIRNN_HOME']; print(os.listdir(home), 'birnn-test-' in home)"
    )
    conftest = (ROOT / "conftest.py").read_text()
    assert "1 passed" in run_nbval(tmp_path, (source, "[] True\n"), conftest=conftest)


@pytest.mark.parametrize(
    ("right", "closing"),
    [("torch.ones(2)", "2 passed"), ("wrong.clone()", "2 failed"), ("nowhere", "2 failed")],
)
def test_a_demonstration_must_show_a_difference(tmp_path: Path, right: str, closing: str) -> None:
    cells = [("import torch; wrong = torch.zeros(2); print(1)", "1\n"), ("print(2)", "2\n")]
    pair = {"wrong": "wrong", "right": right}
    conftest = (ROOT / "conftest.py").read_text()
    shows = {"shows": {"some-misconception": pair}}
    assert closing in run_nbval(tmp_path, *cells, conftest=conftest, birnn=shows)


@pytest.mark.parametrize(
    ("claim", "closing"),
    [
        ("right > wrong + 10", "1 passed"),
        ("wrong + 10 > right", "1 failed"),  # false
        ("right > nowhere", "1 failed"),  # raises
        ("right >= right", "1 failed"),  # holds whatever the numbers are
        ("right", "1 failed"),
    ],
)
def test_a_claim_must_hold_and_say_something(tmp_path: Path, claim: str, closing: str) -> None:
    conftest = (ROOT / "conftest.py").read_text()
    cell = ("right, wrong = 80.2, 60; print(f'≈ {right} %')", "≈ 79.9 %\n")
    assert closing in run_nbval(tmp_path, cell, conftest=conftest, birnn={"claims": [claim]})


def test_behind_the_sign_one_number_is_not_compared_and_no_more(tmp_path: Path) -> None:
    same = [
        ("print('≈ 88.4 %')", "≈  7.25 %\n"),
        ("print('≈ nan', '≈ 12 s')", "≈ inf ≈ 1,234.5 s\n"),
        ("print('≈ -1.5e-07 of 3')", "≈ 2 of 3\n"),
    ]
    other = [
        ("print('≈ 88.4 % of 3')", "≈ 88.4 % of 4\n"),
        ("print('≈ 88.4 points')", "≈ 88.4 units\n"),
        ("print('88.4 ≈ x')", "88.5 ≈ x\n"),
        ("print('88.4 %')", "88.5 %\n"),
        ("print('≈ 3', 4)", "≈ 3 5\n"),
        ("print('≈ 3 seconds')", "≈ 3 steps\n"),
    ]
    closing = run_nbval(tmp_path, *same, *other)
    assert f"{len(other)} failed, {len(same)} passed" in closing


def test_of_a_drawing_the_text_is_compared(tmp_path: Path) -> None:
    def drawn(alt: str, at: int) -> str:
        return f'<svg role="img" aria-label="{alt}"><path d="M{at} 0"/></svg>'

    same = (f"print('{drawn('a b', 1)}')", f"{drawn('a b', 2)}\n")
    other = (f"print('{drawn('a b', 1)}')", f"{drawn('a c', 1)}\n")
    assert "1 failed, 1 passed" in run_nbval(tmp_path, same, other)
