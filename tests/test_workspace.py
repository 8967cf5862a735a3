"""The learner's working copy: what arrives, what stays, and that nothing of theirs is ever lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from birnn_course.app import workspace
from birnn_course.errors import CourseError

from conftest import require

NAME = "01_lesson.ipynb"


class Course:
    """A course with one notebook, of which new versions can be published."""

    def __init__(self, tmp_path: Path) -> None:
        self.shipped = tmp_path / "shipped"
        self.folder = tmp_path / "copy"
        self.shipped.mkdir()

    def publish(self, source: str, name: str = NAME) -> None:
        cell = nbformat.v4.new_code_cell(source, execution_count=1)
        cell.outputs = [nbformat.v4.new_output("stream", text="stored output")]
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), self.shipped / name)

    def update(self) -> list[str]:
        return workspace.update(self.folder)

    def read(self, name: str = NAME) -> Any:
        return nbformat.read(self.folder / name, as_version=4)

    def source(self, name: str = NAME) -> str:
        return str(self.read(name).cells[0].source)

    def edit(self, source: str, name: str = NAME) -> None:
        notebook = self.read(name)
        notebook.cells[0].source = source
        nbformat.write(notebook, self.folder / name)

    def names(self) -> list[str]:
        return sorted(
            path.name for path in self.folder.iterdir() if path.name != workspace.MANIFEST
        )


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    made = Course(tmp_path)
    monkeypatch.setattr(workspace, "learner_notebooks", lambda: (NAME,))
    monkeypatch.setattr(workspace, "notebooks_folder", lambda: made.shipped)
    made.publish("version 1")
    return made


def test_the_first_time_it_arrives_without_outputs(course: Course) -> None:
    assert course.update() == []
    assert course.names() == [NAME]
    cell = course.read().cells[0]
    assert (cell.source, cell.outputs, cell.execution_count) == ("version 1", [], None)


def test_the_kernel_need_not_change_it_when_it_is_opened(course: Course) -> None:
    """A notebook whose language_info is not the kernel's is unsaved as soon as it is open."""
    from ipykernel.ipkernel import IPythonKernel

    course.update()
    assert dict(course.read().metadata.language_info) == IPythonKernel.language_info


def test_running_it_does_not_count_as_a_change(course: Course) -> None:
    course.update()
    notebook = course.read()
    notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="mine")]
    notebook.cells[0].execution_count = 7
    nbformat.write(notebook, course.folder / NAME)
    assert course.update() == []
    assert course.read().cells[0].outputs[0].text == "mine"
    course.publish("version 2")
    (news,) = course.update()
    assert "new version" in news
    assert course.source() == "version 2"
    assert course.names() == [NAME]


def test_what_the_learner_changed_stays_and_the_new_version_comes_beside_it(course: Course) -> None:
    course.update()
    course.edit("mine")
    assert course.update() == []
    course.publish("version 2")
    (news,) = course.update()
    assert "01_lesson (new).ipynb" in news
    assert (course.source(), course.source("01_lesson (new).ipynb")) == ("mine", "version 2")
    assert course.update() == []  # delivered once
    (course.folder / "01_lesson (new).ipynb").unlink()
    assert course.update() == []
    assert course.names() == [NAME]


def test_the_copy_beside_it_follows_the_same_rule(course: Course) -> None:
    course.update()
    course.edit("mine")
    course.publish("version 2")
    course.update()
    course.publish("version 3")
    course.update()
    assert course.source("01_lesson (new).ipynb") == "version 3"
    course.edit("mine too", "01_lesson (new).ipynb")
    course.publish("version 4")
    course.update()
    assert course.source() == "mine"
    assert course.source("01_lesson (new).ipynb") == "mine too"
    assert course.source("01_lesson (new 2).ipynb") == "version 4"


def test_a_learner_who_goes_back_to_ours_gets_new_versions_again(course: Course) -> None:
    course.update()
    course.edit("mine")
    course.publish("version 2")
    course.update()
    course.edit("version 2")
    course.publish("version 3")
    course.update()
    assert course.source() == "version 3"


def test_what_the_course_says_about_cells_follows_and_outputs_stay(course: Course) -> None:
    course.update()
    theirs = course.read()
    theirs.cells[0].outputs = [nbformat.v4.new_output("stream", text="mine")]
    theirs.cells[0].metadata.update({"scrolled": True, "tags": ["old"], "birnn": {"claims": []}})
    nbformat.write(theirs, course.folder / NAME)
    shipped = nbformat.read(course.shipped / NAME, as_version=4)
    shipped.cells[0].metadata["tags"] = ["new"]
    nbformat.write(shipped, course.shipped / NAME)
    assert course.update() == []
    cell = course.read().cells[0]
    assert cell.metadata == {"scrolled": True, "tags": ["new"]}
    assert cell.outputs[0].text == "mine"
    written = (course.folder / NAME).stat().st_mtime_ns
    assert course.update() == [] and (course.folder / NAME).stat().st_mtime_ns == written


def test_a_lesson_that_was_split_is_announced_once(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old manifest, one edited lesson: the edit stays, the news says what moved where."""
    course.update()
    course.edit("version 1, and my note")
    course.publish("version 2, shorter")
    course.publish("what was left out", "01_lesson_deeper.ipynb")
    monkeypatch.setattr(workspace, "learner_notebooks", lambda: (NAME, "01_lesson_deeper.ipynb"))
    monkeypatch.setattr(workspace, "SPLIT_FROM", {"01_lesson_deeper.ipynb": NAME})
    news = course.update()
    assert news == [
        "01_lesson.ipynb has your changes and stays; the new version is 01_lesson (new).ipynb.",
        "01_lesson_deeper.ipynb is new: part of 01_lesson.ipynb moved there.",
    ]
    assert course.source() == "version 1, and my note"
    assert course.source("01_lesson_deeper.ipynb") == "what was left out"
    assert course.update() == []
    assert course.source() == "version 1, and my note"


def test_the_first_time_nothing_is_said_to_have_moved(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "SPLIT_FROM", {NAME: "00_other.ipynb"})
    assert course.update() == []


def test_a_deleted_notebook_comes_back(course: Course) -> None:
    course.update()
    (course.folder / NAME).unlink()
    course.update()
    assert course.source() == "version 1"


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"cells": 3}', b'{"nbformat": 4}']
)
def test_a_damaged_notebook_is_set_aside(course: Course, content: bytes) -> None:
    course.update()
    for number, aside in enumerate([f"{NAME}.damaged", f"{NAME}.damaged 2"], 1):
        (course.folder / NAME).write_bytes(content)
        (news,) = course.update()
        assert f"kept as {aside}," in news
        assert (course.folder / aside).read_bytes() == content
        assert course.source() == "version 1"
        assert len(course.names()) == 1 + number


@pytest.mark.parametrize("content", ["", "[]", '{"delivered": 3}', "{"])
def test_without_a_readable_manifest_every_notebook_is_the_learners(
    course: Course, content: str
) -> None:
    course.update()
    course.edit("mine")
    (course.folder / workspace.MANIFEST).write_text(content)
    course.publish("version 2")
    news = course.update()
    assert "could not be read" in news[0]
    assert (course.source(), course.source("01_lesson (new).ipynb")) == ("mine", "version 2")


def test_other_files_are_left_alone(course: Course) -> None:
    course.folder.mkdir()
    (course.folder / "notes.txt").write_text("mine")
    (course.folder / "01_lesson (new).ipynb").write_text("no notebook, but mine")
    course.update()
    course.edit("mine")
    course.publish("version 2")
    course.update()
    assert (course.folder / "notes.txt").read_text() == "mine"
    assert (course.folder / "01_lesson (new).ipynb").read_text() == "no notebook, but mine"
    assert course.source("01_lesson (new 2).ipynb") == "version 2"


def test_killed_between_two_writes_nothing_is_lost(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The notebook is new, the manifest still old: the next start understands."""
    course.update()
    course.publish("version 2")
    write = workspace.write_atomic

    def die_at_the_manifest(path: Path, text: str) -> None:
        if path.name == workspace.MANIFEST:
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(workspace, "write_atomic", die_at_the_manifest)
    with pytest.raises(KeyboardInterrupt):
        course.update()
    monkeypatch.setattr(workspace, "write_atomic", write)
    assert course.update() == []
    assert course.source() == "version 2"
    course.publish("version 3")
    course.update()
    assert (course.source(), course.names()) == ("version 3", [NAME])


def test_a_file_in_the_way_is_a_sentence(course: Course) -> None:
    course.folder.write_text("a file")
    with pytest.raises(CourseError, match="is a file, not a folder"):
        course.update()


def test_a_broken_installation_is_a_sentence(course: Course) -> None:
    (course.shipped / NAME).write_text("{")
    with pytest.raises(CourseError, match="install it again"):
        course.update()


def in_sandbox(*mounts: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Update the real course's working copy inside bubblewrap, with this folder mounted so."""
    script = (
        "import sys; from pathlib import Path; from birnn_course.app import workspace\n"
        "from birnn_course.errors import CourseError\n"
        "try: print(workspace.update(Path(sys.argv[1])))\n"
        "except CourseError as error: print('SENTENCE', error)"
    )
    return subprocess.run(
        [
            require("bwrap"),
            "--dev-bind",
            "/",
            "/",
            *mounts,
            sys.executable,
            "-c",
            script,
            str(folder),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_read_only_folder_is_a_sentence_and_nothing_changes(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    workspace.update(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    result = in_sandbox("--ro-bind", str(folder), str(folder), folder=folder)
    assert "SENTENCE cannot write in" in result.stdout
    assert "Read-only file system" in result.stdout
    assert not result.stderr
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    result = in_sandbox("--size", "8192", "--tmpfs", str(folder), folder=folder)
    assert "is full; free some space" in result.stdout
    assert not result.stderr


def test_a_write_that_fails_leaves_the_old_file_and_no_other(
    course: Course, monkeypatch: pytest.MonkeyPatch
) -> None:
    course.update()
    before = (course.folder / NAME).read_bytes()
    course.publish("version 2")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(CourseError, match="is full; free some space"):
        course.update()
    assert (course.folder / NAME).read_bytes() == before
    assert sorted(path.name for path in course.folder.iterdir()) == [workspace.MANIFEST, NAME]


def test_the_real_notebooks_arrive(tmp_path: Path) -> None:
    from birnn_course.course import learner_notebooks

    workspace.update(tmp_path / "copy")
    for name in learner_notebooks():
        notebook = nbformat.read(tmp_path / "copy" / name, as_version=4)
        assert all(not cell.get("outputs") for cell in notebook.cells)
    manifest = json.loads((tmp_path / "copy" / workspace.MANIFEST).read_text())
    assert set(manifest["delivered"]) == set(learner_notebooks())
