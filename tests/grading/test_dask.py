"""A class on a real cluster of processes, one of which is killed in the middle."""

from __future__ import annotations

import csv
import os
import signal
import threading
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from patience import PATIENCE, soon

from birnn_course.cli import main as birnn
from grading.handed_in import solved, untouched

UNIT = "04_packing_exercises"


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    for i in range(24):
        target = tmp_path / "handed in" / f"student{i:02}" / f"{UNIT}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(solved(UNIT) if i % 3 else untouched(UNIT), target)
    return tmp_path / "handed in"


def marks(out: Path) -> list[dict[str, str]]:
    with (out / "grades.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_submission_gets_one_mark_though_a_worker_dies(
    submissions: Path, tmp_path: Path
) -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        workers = client.run(os.getpid)
        assert len(set(workers.values()) | {os.getpid()}) == 3  # three processes
        killed = []

        def kill_one_when_it_works() -> None:
            results = tmp_path / "out" / "grading.sqlite"
            assert soon(results.exists)
            assert soon(lambda: any(client.processing().values()))
            os.kill(next(iter(workers.values())), signal.SIGKILL)
            killed.append(len(marks_so_far(results)))

        killer = threading.Thread(target=kill_one_when_it_works, daemon=True)
        killer.start()
        address = cluster.scheduler_address.removeprefix("tcp://")
        command = ["grade", str(submissions), "-o", str(tmp_path / "out"), "--seed", "3"]
        graded = CliRunner().invoke(birnn, [*command, "--engine", f"dask://{address}"])
        assert graded.exit_code == 0, graded.output
        killer.join(PATIENCE)
        assert killed and killed[0] < 24  # it was in the middle

    rows = marks(tmp_path / "out")
    assert len(rows) == 24 * 6
    assert len({(row["student"], row["exercise"]) for row in rows}) == len(rows)
    for row in rows:
        untouched_one = int(row["student"].removeprefix("student")) % 3 == 0
        assert row["verdict"] == ("not attempted" if untouched_one else "right")


def marks_so_far(results: Path) -> list[object]:
    import sqlite3

    with sqlite3.connect(results) as file:
        return file.execute("select student from marked").fetchall()


def test_no_scheduler_is_one_sentence(submissions: Path, tmp_path: Path) -> None:
    command = ["grade", str(submissions), "-o", str(tmp_path / "out"), "--engine"]
    graded = CliRunner().invoke(birnn, [*command, "dask://127.0.0.1:1"])
    assert graded.exit_code == 1
    assert "no Dask scheduler answers at 127.0.0.1:1" in graded.output
    assert "Traceback" not in graded.output
    wrong = CliRunner().invoke(birnn, [*command, "spark"])
    assert "there is no engine spark" in wrong.output
