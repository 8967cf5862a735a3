"""Run tests again and again, and say how often each passed and how long it took.

A test that passes only sometimes is reported, never run again until it passes. Used by
``make browser-times``.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree


class OneRun(NamedTuple):
    """What became of one test in one run; the seconds hold its fixtures too."""

    passed: bool
    seconds: float
    skipped: bool = False


def read(report: Path) -> dict[str, OneRun]:
    """Each test of a JUnit XML report of pytest."""
    found: dict[str, OneRun] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        kinds = {child.tag for child in case}
        passed = not kinds & {"failure", "error"} and name not in found  # twice: its teardown
        found[name] = OneRun(passed, float(case.get("time", 0)), "skipped" in kinds)
    return found


def table(runs: Iterable[Mapping[str, OneRun]]) -> tuple[list[str], bool]:
    """A line per test, those that failed first, then the slowest; and whether all passed."""
    outcomes: dict[str, list[OneRun]] = defaultdict(list)
    for run in runs:
        for name, outcome in run.items():
            if not outcome.skipped:
                outcomes[name].append(outcome)
    lines = [f"{'passed':>8}{'failed':>8}{'median s':>10}{'slowest s':>11}  test"]
    rows = []
    for name, those in outcomes.items():
        failed = sum(not outcome.passed for outcome in those)
        times = [outcome.seconds for outcome in those]
        rows.append((-failed, -statistics.median(times), len(those) - failed, max(times), name))
    lines += [
        f"{passed:8}{-failed:8}{-median:10.1f}{slowest:11.1f}  {name}"
        for failed, median, passed, slowest, name in sorted(rows)
    ]
    return lines, bool(rows) and not any(failed for failed, *_ in rows)


def main() -> int:
    """Run pytest N times with the given arguments; 1 if any test failed in any run."""
    parser = argparse.ArgumentParser(description=__doc__, usage="%(prog)s N PYTEST-ARGUMENTS …")
    parser.add_argument("n", type=int, help="how many runs")
    options, pytest_arguments = parser.parse_known_args()
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for i in range(options.n):
            report = Path(folder) / f"{i}.xml"
            began = time.monotonic()
            command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}"]
            result = subprocess.run(
                [*command, *pytest_arguments], capture_output=True, text=True, check=False
            )
            closing = (result.stdout.splitlines() or [result.stderr])[-1]
            print(f"run {i + 1}: {time.monotonic() - began:.0f} s, {closing}", flush=True)
            if not report.exists():
                return 1
            runs.append(read(report))
    lines, all_passed = table(runs)
    print("\n".join(lines))
    return int(not all_passed)


if __name__ == "__main__":
    sys.exit(main())
