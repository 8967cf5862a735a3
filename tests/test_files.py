from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from birnn_course import files
from birnn_course.errors import CourseError


def test_writing_replaces_the_whole_file_and_makes_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    files.write_atomic(path, "one\ntwo – ✓\n")
    assert path.read_bytes() == "one\ntwo – ✓\n".encode()
    files.write_atomic(path, "three")
    assert path.read_text() == "three"
    assert [p.name for p in path.parent.iterdir()] == ["b.txt"]


def test_others_may_read_it_as_any_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        files.write_atomic(tmp_path / "a.txt", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o644


def test_interrupted_the_old_file_is_there_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.txt"
    files.write_atomic(path, "old")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_the_home_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BIRNN_HOME", str(tmp_path))
    assert (files.home(), files.cache()) == (tmp_path, tmp_path / "cache")
    monkeypatch.setenv("BIRNN_CACHE", str(tmp_path / "shared"))
    assert files.cache() == tmp_path / "shared"
    monkeypatch.delenv("BIRNN_CACHE")
    monkeypatch.delenv("BIRNN_HOME")
    assert files.home() != files.cache()
    assert "birnn-course" in str(files.home())
    assert "birnn-course" in str(files.cache())


def test_a_data_file_that_is_no_yaml_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "01.yaml"
    path.write_text("- id: a\n  text: `x` is: y\n")
    with pytest.raises(CourseError, match=r"01\.yaml, line 2, .* in quotes"):
        files.read_yaml(path)
    path.write_text("- id: a\n")
    assert files.read_yaml(path) == [{"id": "a"}]
    path.write_text("")
    assert files.read_yaml(path) == []
