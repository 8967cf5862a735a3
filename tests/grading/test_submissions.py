"""What is found in what a class handed in, and what is refused."""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from patience import ends

import birnn_course
from birnn_course.errors import CourseError
from birnn_course.grading import submissions
from birnn_course.grading.notebooks import UnreadableError, code_cells, has_too_many_values
from birnn_course.grading.reports import _gains, _pages_of
from birnn_course.grading.submissions import MOST_FILES_OF_ONE, Submission, find
from birnn_course.grading.tables import safe
from birnn_course.sandbox import SHOWN
from birnn_course.sandbox.outside import bubblewrap
from grading.hostile import holding


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def names(place: Path) -> list[tuple[str, str]]:
    return [(submission.student, submission.name) for submission in find(place)]


def write(place: Path, *paths: str, data: bytes = b"{}") -> Path:
    for path in paths:
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def refusal(place: Path) -> str:
    (submission,) = find(place)
    with pytest.raises(UnreadableError) as caught:
        submission.read()
    return str(caught.value)


def test_a_folder_for_each_student(tmp_path: Path) -> None:
    write(
        tmp_path, "zoe/02.ipynb", "ada/01.ipynb", "ada/more/03.IPYNB", "ada/record.json", "ada/a.py"
    )
    write(tmp_path, "ada/.ipynb_checkpoints/01.ipynb", "__MACOSX/x.ipynb", ".trash/y.ipynb")
    assert names(tmp_path) == [
        ("ada", "01.ipynb"), ("ada", "more/03.IPYNB"), ("ada", "record.json"), ("zoe", "02.ipynb"),
    ]  # fmt: skip


def test_names_that_differ_by_case_or_by_how_an_accent_is_written_are_two(tmp_path: Path) -> None:
    write(tmp_path, "Ada/1.ipynb", "ada/1.ipynb", "\u00e9/1.ipynb", "e\u0301/1.ipynb")
    found = names(tmp_path)
    assert len(found) == 4
    assert len(set(_pages_of(student for student, _ in found).values())) == 4


@pytest.mark.parametrize(("path", "expected"), [
    ("Ada L_12_assignsubmission_file_/x.ipynb", ("Ada L_12", "x.ipynb")),
    ("Ada L_12_assignsubmission_file_x.ipynb", ("Ada L_12", "x.ipynb")),
    ("lovelaceada_LATE_12_34_x.ipynb", ("lovelaceada_12", "x.ipynb")),
    ("lovelaceada_12_34_x.ipynb", ("lovelaceada_12", "x.ipynb")),
    ("Eve_2_assignsubmission_file_Ada_1_assignsubmission_file_x.ipynb",
     ("Eve_2", "Ada_1_assignsubmission_file_x.ipynb")),
    ("x.ipynb", ("x", "x.ipynb")),
])  # fmt: skip
def test_whose_it_is_says_the_platform(
    tmp_path: Path, path: str, expected: tuple[str, str]
) -> None:
    assert names(write(tmp_path, path)) == [expected]


def without_a_notebook(place: Path) -> dict[str, str]:
    """Why there is none, for each student who handed in none."""
    reasons = {}
    for submission in find(place):
        if not submission.name:
            with pytest.raises(UnreadableError) as caught:
                submission.read()
            reasons[submission.student] = caught.value.reason
    return reasons


def test_nobody_vanishes(tmp_path: Path) -> None:
    """A folder is a student, whatever is in it; a loose file that is no notebook is none."""
    place = write(
        tmp_path / "in", "ada/1.ipynb", "ada/notes.txt", "bob/solution.py", "cy/record.json",
        "dan/deep/er/x.py", "fay/a", "fay/b", "fay/c", "fay/d", "fay/e", "fay/f", "marks.csv",
        "flo_12_assignsubmission_file_essay.docx", ".git/config", "__MACOSX/x",
    )  # fmt: skip
    (place / "eve").mkdir()
    write(place, "gus/work.zip", "hal.zip", data=zipped(("x.py", b"1"), ("y/", b"")))
    (place / "ivy").symlink_to(tmp_path)
    found = "No notebook was handed in. There is "
    assert without_a_notebook(place) == {
        "bob": f"{found}solution.py.",
        "cy": f"{found}record.json.",
        "dan": f"{found}deep/er/x.py.",
        "eve": f"{found}nothing.",
        "fay": f"{found}a, b, c, d, e and 1 more.",
        "flo_12": f"{found}essay.docx.",
        "gus": f"{found}work.zip, x.py.",
        "hal": f"{found}hal.zip, x.py.",
        "ivy": f"{found}nothing.",
    }
    assert [name for name in names(place) if name[0] in ("ada", "cy")] == [
        ("ada", "1.ipynb"), ("cy", ""), ("cy", "record.json"),
    ]  # fmt: skip
    (place / "eve" / "1.ipynb").write_bytes(b"{}")
    assert "eve" not in without_a_notebook(place)


def test_nobody_vanishes_from_a_zip(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("class/lea/link.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    (tmp_path / "class.zip").write_bytes(
        zipped(
            ("class/", b""), ("class/ada/1.ipynb", b"1"), ("class/bob/x.py", b"2"),
            ("class/eve/", b""), ("class/read me.txt", b"3"), (link, b"/etc/passwd"),
            ("class/gus/work.zip", zipped(("x.py", b"1"))), ("__MACOSX/class/x", b"4"),
        )
    )  # fmt: skip
    found = "No notebook was handed in. There is "
    assert without_a_notebook(tmp_path / "class.zip") == {
        "bob": f"{found}x.py.",
        "eve": f"{found}nothing.",
        "gus": f"{found}work.zip, x.py.",
        "lea": f"{found}link.ipynb.",
    }
    assert ("ada", "1.ipynb") in names(tmp_path / "class.zip")


def test_a_zip_of_a_class_and_zips_in_it(tmp_path: Path) -> None:
    inner = zipped(("work/01.ipynb", b"1"), ("deeper.zip", zipped(("x.ipynb", b"2"))))
    place = tmp_path / "class.zip"
    place.write_bytes(zipped(("class/ada/hand.zip", inner), ("class/bob/01.ipynb", b"3")))
    found = find(place)
    assert [(s.student, s.name, s.read()) for s in found] == [
        ("ada", "work/01.ipynb", b"1"), ("bob", "01.ipynb", b"3"),
    ]  # fmt: skip


def test_nobody_writes_into_the_folder_of_another(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.ipynb")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    odd = [
        "../bob/1.ipynb",
        "a/../../bob/2.ipynb",
        "/bob/3.ipynb",
        "..\\bob\\4.ipynb",
        "C:\\5.ipynb",
    ]
    inner = zipped(
        *((name, b"evil") for name in odd), (link, b"/etc/passwd"), ("bob/6.ipynb", b"x")
    )
    write(tmp_path, "eve/x.zip", data=inner)
    assert names(tmp_path) == [("eve", "bob/6.ipynb")]
    (tmp_path / "class.zip").write_bytes(zipped(("ada/1.ipynb", b"1"), *((n, b"x") for n in odd)))
    assert names(tmp_path / "class.zip") == [("ada", "1.ipynb")]


@pytest.mark.parametrize("make", ["symlink", "folder", "pipe", "itself", "device"])
def test_only_regular_files_are_opened(tmp_path: Path, make: str) -> None:
    path = write(tmp_path / "class", "eve/x.txt") / "eve" / "1.ipynb"
    secret = write(tmp_path, "secret.ipynb", "folder/1.ipynb")
    if make == "pipe":
        os.mkfifo(path)
    elif make == "folder":
        (tmp_path / "class" / "mallory").symlink_to(secret / "folder")
        with pytest.raises(CourseError, match="no notebook"):
            find(tmp_path / "class")
        return
    else:
        path.symlink_to(
            {"symlink": secret / "secret.ipynb", "device": Path("/dev/zero")}.get(make, path)
        )
    assert "Hand in the notebook itself" in ends(lambda: refusal(tmp_path / "class"))


def test_large_files_are_read_to_the_limit_only(tmp_path: Path) -> None:
    with (write(tmp_path, "eve/1.ipynb") / "eve/1.ipynb").open("wb") as file:
        file.truncate(2**33)
    (submission,) = find(tmp_path)
    with pytest.raises(UnreadableError, match="larger than"):
        code_cells(submission.read())


def broken(data: bytes, old: bytes, new: bytes) -> bytes:
    assert len(old) == len(new)
    assert old in data
    return data.replace(old, new)


def encrypted() -> bytes:
    data = bytearray(zipped(("1.ipynb", b"{}")))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + at
        data[place : place + 2] = struct.pack("<H", 1)
    return bytes(data)


@pytest.mark.parametrize("data", [
    b"no zip",
    zipped(("1.ipynb", b"{}"))[:-30] + bytes(30),
    broken(zipped(("äö.ipynb", b"{}")), "äö".encode(), b"\xff\xfe\xff\xfe"),
    broken(zipped(("1.ipynb", b"x" * 77_777)), struct.pack("<I", 77_777), struct.pack("<I", 7)),
    encrypted(),
    zipped(*((f"{n}.ipynb", b"") for n in range(1_001))),
    zipped(("1.txt", b"x"), ("1.ipynb", b"{}")) + b"x" * submissions.MOST_NESTED,
], ids=["none", "cut", "name", "size", "encrypted", "many", "large"])  # fmt: skip
def test_a_zip_that_is_no_good_costs_its_student_only(tmp_path: Path, data: bytes) -> None:
    write(tmp_path, "ada/1.ipynb")
    write(tmp_path, "eve/work.zip", data=data)
    ada, eve = find(tmp_path)
    assert (ada.student, ada.read(), eve.student) == ("ada", b"{}", "eve")
    with pytest.raises(UnreadableError):
        eve.read()


def test_a_bomb_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submissions, "MOST_UNPACKED", 10**6)
    data = zipped(("a.ipynb", bytes(10**6)), ("b.ipynb", bytes(10**6)))
    write(tmp_path, "eve/work.zip", data=data)
    assert "cannot be unpacked" in refusal(tmp_path)
    (tmp_path / "class.zip").write_bytes(data)
    with pytest.raises(CourseError, match="would unpack to too much"):
        find(tmp_path / "class.zip")


def test_members_without_a_name_and_twice_the_same_name(tmp_path: Path) -> None:
    data = zipped(("NAME.ipynb", b"x"), ("1.ipynb", b"one"), ("2.ipynb", b"two"))
    data = broken(broken(data, b"NAME.ipynb", b"./././././"), b"2.ipynb", b"1.ipynb")
    write(tmp_path, "eve/work.zip", data=data)
    assert [(s.name, s.read()) for s in find(tmp_path)] == [
        ("1 2.ipynb", b"two"), ("1.ipynb", b"one"),
    ]  # fmt: skip


def test_nobody_hands_in_so_much_that_others_wait(tmp_path: Path) -> None:
    write(tmp_path, "ada/1.ipynb", *(f"eve/{n:03}.ipynb" for n in range(100)))
    found = find(tmp_path)
    assert [s.student for s in found] == ["ada", *["eve"] * (MOST_FILES_OF_ONE + 1)]
    with pytest.raises(UnreadableError, match="Hand in fewer"):
        found[-1].read()


@pytest.mark.parametrize("value", [b'{"":1}', b"[]"], ids=["objects", "lists"])
@pytest.mark.parametrize(
    "read",
    [code_cells, lambda data: list(_gains([Submission("eve", "record.json", lambda: data)]))],
    ids=["notebook", "record"],
)
def test_what_holds_nothing_takes_little_memory(
    value: bytes, read: Callable[[bytes], list[Any]]
) -> None:
    data = holding(value, 300_000)
    tracemalloc.start()
    with suppress(UnreadableError):
        assert read(data) == []
    assert tracemalloc.get_traced_memory()[1] < 8 * len(data)
    tracemalloc.stop()


def test_values_are_counted_where_they_are_values() -> None:
    many = b'[{"":1},' * 150_000
    assert has_too_many_values(many) and has_too_many_values(b"[" + b"1," * 1_000_001)
    assert not has_too_many_values(b"[" + b"1," * 999_999 + b"1]")
    text = json.dumps({"cells": [], 'a\\"': 'x"\\' + many.decode() + '\\"', "b": many.decode()})
    assert not has_too_many_values(text.encode())
    assert has_too_many_values(text.encode() + many)


def test_folders_in_folders_have_an_end(tmp_path: Path) -> None:
    write(tmp_path, "eve/" + "d/" * 30 + "deep.ipynb", "eve/1.ipynb")
    assert names(tmp_path) == [("eve", "1.ipynb")]


def test_nobody_gets_the_page_of_another() -> None:
    victims = ["学", "学生", "Ada Lovelace", "a/b", "=1", "x" * 80]
    taken = _pages_of(victims)
    assert len(set(taken.values())) == len(victims)
    for page in taken.values():
        for guess in (page, page.removesuffix(".html"), page[:-6]):
            pages = _pages_of([*victims, guess])
            assert len({page.casefold() for page in pages.values()}) == len(victims) + 1
            assert {student: pages[student] for student in victims} == taken
    assert _pages_of(["ada"]) == {"ada": "ada.html"}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "eve;=1", "eve; -1"])
def test_no_spreadsheet_takes_a_name_for_a_formula(name: str) -> None:
    assert not safe(name).strip().startswith(("=", "+", "-", "@"))
    assert not set(safe(name)) & set(';"\t\n')
    assert safe("Ada-Lou, née X") == "Ada-Lou, née X"


def test_a_link_to_the_course_shows_no_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "data" / "lib" / "python3.11" / "site-packages" / "birnn_course"
    (package / "exercises").mkdir(parents=True)
    (tmp_path / "data" / "lib64").symlink_to("lib")
    (tmp_path / "home").symlink_to("data")
    monkeypatch.setattr(bubblewrap, "_PACKAGE", package)
    seen = [tmp_path / folder for folder in ("data/lib", "data/lib64", "home/lib")]
    covered = list(bubblewrap._other_copies(seen))
    for folder in seen[1:]:
        assert folder / "python3.11/site-packages/birnn_course/exercises" in covered
    assert not any(path.is_relative_to(seen[0]) for path in covered)


def test_a_new_folder_of_the_course_is_hidden_until_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("exercises", "answers_of_next_year", "models_of_next_year", *SHOWN):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(bubblewrap, "_PACKAGE", tmp_path)
    line = bubblewrap.command("bwrap")
    covered = {
        Path(path) for path, after in zip(line[1:], line, strict=False) if after == "--tmpfs"
    }
    assert {path.name for path in covered if path.parent == tmp_path} == {
        "exercises", "answers_of_next_year", "models_of_next_year",
    }  # fmt: skip


def test_every_folder_of_the_course_is_shown_or_hidden_on_purpose() -> None:
    package = Path(birnn_course.__file__).parent
    hidden = {path.name for path in bubblewrap._not_shown(package)}
    assert hidden == {"app", "exercises", "grading", "project", "questions", "site", "slides"}
    assert {path.name for path in package.iterdir()} >= {*SHOWN}


def test_another_copy_of_the_course_is_covered(tmp_path: Path) -> None:
    other = tmp_path / "python3.11" / "site-packages" / "birnn_course"
    other.mkdir(parents=True)
    assert list(bubblewrap._other_copies([tmp_path])) == [other]
    line = bubblewrap.command("bwrap", [tmp_path])
    assert "--as-pid-1" in line
    assert str(tmp_path) not in line  # it is not seen at all


# ── learning platforms ──────────────────────────────────────────────────────────────────────────

MOODLE = {
    "Ada Lovelace_12_assignsubmission_file_/x.ipynb": ("Ada Lovelace_12", "x.ipynb"),
    "Ada Lovelace_12_assignsubmission_file/deep/x.ipynb": ("Ada Lovelace_12", "deep/x.ipynb"),
    "Ada Lovelace_12_assignsubmission_file_x_1.ipynb": ("Ada Lovelace_12", "x_1.ipynb"),
    "Ada Lovelace_12_assignsubmission_onlinetext/x.ipynb": ("Ada Lovelace_12", "x.ipynb"),
    "Participant_7_assignsubmission_file/x.ipynb": ("Participant_7", "x.ipynb"),
    "Team 3_44_assignsubmission_file_/x.ipynb": ("Team 3_44", "x.ipynb"),
    "Default team_assignsubmission_file/x.ipynb": ("Default team", "x.ipynb"),
    "李 雷_9_assignsubmission_file_x.ipynb": ("李 雷_9", "x.ipynb"),
}
CANVAS = {
    "lovelaceada_12_34_x.ipynb": ("lovelaceada_12", "x.ipynb"),
    "lovelaceada_LATE_12_34_x.ipynb": ("lovelaceada_12", "x.ipynb"),
    "al_saidfatima_8808_99_x.ipynb": ("al_saidfatima_8808", "x.ipynb"),
    "al_saidfatima_LATE_8808_99_01_02_x.ipynb": ("al_saidfatima_8808", "01_02_x.ipynb"),
    "anon_aB3xZ_551_x.ipynb": ("anon_aB3xZ", "x.ipynb"),
    "LATE_anon_aB3xZ_551_1_2_x.ipynb": ("anon_aB3xZ", "1_2_x.ipynb"),
    "anon_12345_551_x.ipynb": ("anon_12345", "x.ipynb"),
    "प्रियाशर्मा_5_6_x.ipynb": ("प्रियाशर्मा_5", "x.ipynb"),
    "_5_6_x.ipynb": ("_5", "x.ipynb"),
}


@pytest.mark.parametrize(("path", "expected"), [*MOODLE.items(), *CANVAS.items()])
def test_whose_a_file_of_a_platform_is(
    tmp_path: Path, path: str, expected: tuple[str, str]
) -> None:
    assert names(write(tmp_path / "folder", path)) == [expected]
    (tmp_path / "class.zip").write_bytes(zipped((path, b"{}")))
    assert names(tmp_path / "class.zip") == [expected]


def test_text_beside_a_file_makes_no_second_student(tmp_path: Path) -> None:
    moodle = [
        f"{who}_{n}_assignsubmission_{kind}"
        for n, who in enumerate(("Ada L", "Bo", "Cy"))
        for kind in ("file/x.ipynb", "onlinetext/onlinetext.html")
    ]
    moodle.append("Dan_9_assignsubmission_onlinetext/onlinetext.html")
    flat = [path.replace("/", "_") for path in moodle]
    canvas = ["ada_1_11_x.ipynb", "ada_1_text.html", "bo_LATE_2_12_x.ipynb", "bo_LATE_2_link.html",
              "cy_0_13_x.ipynb", "anon_aB3xZ_text.html", "dan_LATE_9_text.html"]  # fmt: skip
    for number, paths in enumerate((moodle, flat)):
        place = write(tmp_path / str(number), *paths)
        assert [name for name in names(place) if name[1]] == [
            ("Ada L_0", "x.ipynb"), ("Bo_1", "x.ipynb"), ("Cy_2", "x.ipynb"),
        ]  # fmt: skip
        assert without_a_notebook(place) == {
            "Dan_9": "No notebook was handed in. There is onlinetext.html."
        }
    place = write(tmp_path / "canvas", *canvas)
    assert [name for name in names(place) if name[1]] == [
        ("ada_1", "x.ipynb"), ("bo_2", "x.ipynb"), ("cy_0", "x.ipynb"),
    ]  # fmt: skip
    assert sorted(without_a_notebook(place)) == ["anon_aB3xZ", "dan_9"]


def test_zips_of_a_platform_belong_to_who_handed_them_in(tmp_path: Path) -> None:
    work = zipped(("work/01.ipynb", b"in a zip"))
    members = [
        ("al_said_8_90_01.ipynb", b"loose"), ("al_said_8_91_all.zip", work),
        ("anon_aB3xZ_5_all.zip", work), ("LATE_anon_cD4yW_6_all.zip", work),
        ("Ada L_12_assignsubmission_file_all.zip", work),
        ("Bo_13_assignsubmission_file/all.zip", work),
    ]  # fmt: skip
    (tmp_path / "class.zip").write_bytes(zipped(*members))
    folder = tmp_path / "folder"
    for name, data in members:
        write(folder, name, data=data)
    for place in (tmp_path / "class.zip", folder):
        assert names(place) == [
            ("Ada L_12", "work/01.ipynb"), ("Bo_13", "work/01.ipynb"), ("al_said_8", "01.ipynb"),
            ("al_said_8", "work/01.ipynb"), ("anon_aB3xZ", "work/01.ipynb"),
            ("anon_cD4yW", "work/01.ipynb"),
        ]  # fmt: skip


def test_one_name_in_two_places_is_two_notebooks(tmp_path: Path) -> None:
    a, b = zipped(("01.ipynb", b"a")), zipped(("01.ipynb", b"b"))
    write(tmp_path, "ada/a.zip", "bob/01.zip", "eve/x/a.zip", data=a)
    write(tmp_path, "ada/b.zip", "cy/01.zip", "eve/x/b.zip", data=b)
    write(tmp_path, "bob/01.ipynb", "cy/deep/01.ipynb", "eve/01.ipynb", data=b"loose")
    write(tmp_path, "dan_1_5_01.ipynb", data=b"five")
    write(tmp_path, "dan_1_6_01.ipynb", data=b"six")
    assert {(s.student, s.name, s.read()) for s in find(tmp_path)} == {
        ("ada", "a.zip/01.ipynb", b"a"), ("ada", "b.zip/01.ipynb", b"b"),
        ("bob", "01.ipynb", b"loose"), ("bob", "01.zip/01.ipynb", b"a"),
        ("cy", "01.ipynb", b"b"), ("cy", "deep/01.ipynb", b"loose"),
        ("dan_1", "dan_1_5_01.ipynb", b"five"), ("dan_1", "dan_1_6_01.ipynb", b"six"),
        ("eve", "01.ipynb", b"loose"),
        ("eve", "x/a.zip/01.ipynb", b"a"), ("eve", "x/b.zip/01.ipynb", b"b"),
    }  # fmt: skip
    newest = {s.read(): s.when for s in find(tmp_path) if s.student == "dan_1"}
    assert newest[b"six"] > newest[b"five"]


def test_names_that_differ_in_what_does_not_print_are_two(tmp_path: Path) -> None:
    people = [
        "李\u3000雷",
        "李\u00a0雷",
        "李 雷",
        "علی\u200cرضا",
        "علیرضا",
        "Ada\u202e",
        "Ada\u200b",
        "Ada",
    ]
    write(tmp_path / "in", *(f"{name}/1.ipynb" for name in people))
    (tmp_path / "class.zip").write_bytes(zipped(*((f"{name}/1.ipynb", b"{}") for name in people)))
    for place in (tmp_path / "in", tmp_path / "class.zip"):
        found = [student for student, _ in names(place)]
        assert len(set(found)) == len(people)
        assert set(found) >= set(people[:5])
        assert not {"\u202e", "\u200b"} & set("".join(found))


def test_results_are_no_student(tmp_path: Path) -> None:
    place = write(tmp_path, "ada/1.ipynb", "results/class.html", "results/feedback/ada.html",
                  "ada/results/x.ipynb", "deep/results/x.ipynb")  # fmt: skip
    left = [place / "results", place / "deep" / "results"]
    assert [s.student for s in find(place, left)] == ["ada", "ada", "deep"]
    assert without_a_notebook(place)["results"]
    monkey = tmp_path / "link"
    monkey.symlink_to(place / "results")
    assert "link" not in {s.student for s in find(place, [*left, monkey])}


def test_a_zip_of_very_many_is_refused_before_each_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "ada/1.ipynb")
    write(tmp_path, "eve/x.zip", data=b"PK\x01\x02" * 100_000)
    opened = []
    monkeypatch.setattr(submissions.zipfile, "ZipFile", lambda *a: opened.append(a))
    _, eve = find(tmp_path)
    assert not opened
    with pytest.raises(UnreadableError, match="too many files"):
        eve.read()


def test_what_a_zip_says_of_itself_is_cut_and_printable(tmp_path: Path) -> None:
    long = "n" * 60_000 + ".ipynb"
    data = zipped((long, b"{}"))
    write(tmp_path, "eve/x.zip", data=data.replace(b"nn.ipynb", b"\x1bn.ipynb", 1))
    reason = refusal(tmp_path)
    assert (
        reason.startswith("The file in the zip cannot")
        and len(reason) < 2_000
        and "\x1b" not in reason
    )


def test_zips_of_one_student_have_an_end(tmp_path: Path) -> None:
    work = zipped(("1.ipynb", b"{}"))
    write(tmp_path, *(f"eve/{n:02}.zip" for n in range(60)), data=work)
    write(tmp_path, *(f"eve_1_{n}_a.zip" for n in range(60)), data=work)
    for student in ("eve", "eve_1"):
        read = [s for s in find(tmp_path) if s.student == student and s.name.endswith(".ipynb")]
        assert 0 < len(read) <= MOST_FILES_OF_ONE
