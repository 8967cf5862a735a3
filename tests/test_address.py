"""Links to the page of a misconception: only where asked for, and only to what is an address."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import nn

from birnn_course import Finding, audit
from birnn_course.app import lab
from birnn_course.cli import main
from birnn_course.course import UNITS, notebooks_folder
from birnn_course.errors import CourseError
from birnn_course.exercises.report import Report
from birnn_course.explain.extension import as_text
from birnn_course.explain.matching import Explanation
from birnn_course.misconceptions import catalogue
from birnn_course.misconceptions.address import (
    VARIABLE,
    checked,
    one_folder_down,
    page_of,
    read_more,
    read_more_html,
)
from birnn_course.misconceptions.lessons import anchor
from birnn_course.project.report import Part, ProjectReport

SITE = "https://course.example/site"
NAME = "last-step-readout"
PAGE = f"{SITE}/beliefs/{NAME}.html"


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("", ""),
        ("  ", ""),
        (f" {SITE}/ ", SITE),
        (f"{SITE}/index.html", SITE),
        ("http://localhost:8000", "http://localhost:8000"),
        ("HTTPS://[::1]:80/a/", "HTTPS://[::1]:80/a"),
        ("file:///home/ada/my%20site", "file:///home/ada/my%20site"),
        ("../site/", "../site"),
        (".", "."),
        ("site", "site"),
        ("/course/site", "/course/site"),
        ("/", "/"),
        ("https://münchen.example/kurs", "https://münchen.example/kurs"),
    ],
)
def test_an_address_is_taken(address: str, kept: str) -> None:
    assert checked(address) == kept


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScript:alert(1)",
        "java\tscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "mailto:ada@course.example",
        "ftp://course.example",
        "//course.example/site",
        "/\\course.example",
        "https:",
        "https:///site",
        "https://ada:secret@course.example",
        "https://course.example:port",
        "https://[::1",
        'https://course.example/"onclick="x',
        "https://course.example/<b>",
        "https://course.example/?page=1",
        "https://course.example/#top",
        "https://course.example/a b",
        "https://course.example/\u202e",
        "https://course.example/\x00",
        "course.example/site",
        "localhost:8000",
        "C:/Users/ada/site",
        "file://server/share",
        "file:site",
        "https://course.example/" + "a" * 400,
    ],
)
def test_what_is_no_address_is_refused_in_a_sentence(address: str) -> None:
    with pytest.raises(CourseError, match="is no address for links to the lessons; write one as"):
        checked(address)


def test_only_pages_that_exist_are_linked() -> None:
    assert page_of(NAME, SITE) == PAGE
    assert page_of("no-such-id", SITE) == page_of(None, SITE) == page_of(NAME, "") == ""


def test_a_page_one_folder_down_needs_one_step_up() -> None:
    same = ("", SITE, "file:///a", "/course")
    assert [one_folder_down(address) for address in same] == [*same]
    assert one_folder_down("site") == "../site"


def shown() -> dict[str, tuple[str, str]]:
    """What each tool says of one misconception, as text and as HTML; they name no number."""
    finding = Finding("probe", "problem", "Evidence.", NAME)

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(8, 16, batch_first=True, bidirectional=True)
            self.head = nn.Linear(32, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.lstm(x)[0][:, -1])  # type: ignore[no-any-return]

    torch.manual_seed(0)
    reports = {
        "check": Report("f", "02", "F", 0, 2, True, "value", "A sentence.", NAME, "If …"),
        "audit": audit(Classifier(), torch.randn(6, 9, 8)),
        "project": ProjectReport((Part("Predict", 0, 2, (finding,)),)),
    }
    text = as_text(Explanation("Text.", (NAME,)))
    return {
        name: (repr(report), report._repr_mimebundle_()["text/html"])
        for name, report in reports.items()
    } | {"explained error": (text, html.escape(text))}


def test_each_tool_links_where_somebody_said_where_the_site_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = shown()
    for name, texts in before.items():
        assert not any("Read more" in text or "beliefs/" in text for text in texts), name
    long = f"{SITE}/{'a-long-folder/' * 8}beliefs/{NAME}.html"
    monkeypatch.setenv(VARIABLE, f"{SITE}/{'a-long-folder/' * 8}")
    assert [name for name, (text, _) in shown().items() if long not in text] == []
    monkeypatch.setenv(VARIABLE, f"{SITE}/")
    for name, (text, page) in shown().items():
        assert f"Read more: {PAGE}" in text, name
        if name != "explained error":
            assert f'href="{PAGE}" target="_blank" rel="noopener"' in page, name
        assert set(before[name][0].splitlines()) < {*text.splitlines()}, name
    monkeypatch.setenv(VARIABLE, "javascript:alert(1)")
    for name, (text, page) in shown().items():
        assert f"{VARIABLE}: 'javascript:alert(1)' is no address" in " ".join(text.split()), name
        assert 'href="javascript' not in page, name


def test_nothing_is_said_of_a_result_without_a_misconception(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, SITE)
    assert read_more(None) == read_more_html(None) == ""
    assert "Read more" not in repr(Report("f", "02", "F", 2, 2, True))
    monkeypatch.setenv(VARIABLE, "javascript:x")
    assert read_more(None) == ""


def test_birnn_lab_hands_the_address_to_the_notebooks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path
) -> None:
    started: list[str] = []
    monkeypatch.setattr(lab, "start", lambda command: started.append(os.environ[VARIABLE]) or 0)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(VARIABLE, "")
    assert CliRunner().invoke(main, ["lab", "--lessons", f"{SITE}/"]).exit_code == 0
    assert started == [SITE]
    for command in (["lab"], ["grade", str(tmp_path), "-o", str(tmp_path / "out")]):
        result = CliRunner().invoke(main, [*command, "--lessons", "data:x"])
        assert result.exit_code == 1
        assert "'data:x' is no address for links to the lessons" in result.output
        assert "Traceback" not in result.output
    assert started == [SITE]
    assert not (tmp_path / "out").exists()


def test_anchors_are_those_of_sphinx() -> None:
    nodes = pytest.importorskip("docutils.nodes")
    headings = [
        line.lstrip("#").strip()
        for unit in UNITS
        for name in unit.lessons
        for cell in json.loads((notebooks_folder() / name).read_text("utf-8"))["cells"]
        if cell["cell_type"] == "markdown"
        for line in "".join(cell["source"]).splitlines()
        if re.match(r"#+ ", line)
    ]
    assert len(headings) > 100
    for heading in (*headings, "7 · Être", "`h_n` and  c_n?"):
        assert anchor(heading) == nodes.make_id(heading), heading
    assert anchor("h_n") != "h_n"


def test_every_page_has_a_name_that_is_safe_in_an_address() -> None:
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in catalogue())
