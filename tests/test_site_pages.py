"""What the site has besides the lessons: front page, misconceptions, messages, glossary."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mistune
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from birnn_course.course import UNITS, lesson_path, notebooks_folder
from birnn_course.errors import CourseError
from birnn_course.explain.messages import messages
from birnn_course.explore.nets import stored
from birnn_course.live import restored as live
from birnn_course.misconceptions import SHOWN, catalogue
from birnn_course.misconceptions.lessons import anchor
from birnn_course.questions.bank import practice
from birnn_course.site import beliefs, front, glossary
from birnn_course.site import messages as message_page
from birnn_course.site.markup import block, escaped, fenced, plain, up_from
from birnn_course.site.pages import Page

from conftest import ROOT

PAGES = [page for maker in (front, beliefs, message_page, glossary) for page in maker.pages()]
BY_PATH = {page.path: page for page in PAGES}
MARKDOWN = mistune.create_markdown(escape=False)


def rendered(page: Page) -> str:
    """A page as a browser gets it, without what is around it."""
    html = MARKDOWN(page.source)
    assert isinstance(html, str)
    return html


class Reader(HTMLParser):
    """The ids of a page, where its links lead, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids |= {found["id"] or ""} if "id" in found else set()
        self.links += [found["href"] or ""] if tag == "a" and "href" in found else []

    def handle_data(self, data: str) -> None:
        self.text += data


def headings_of(notebook: str) -> set[str]:
    """The anchors of a lesson's page."""
    cells = json.loads((notebooks_folder() / notebook).read_text("utf-8"))["cells"]
    texts = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return {anchor(h) for text in texts for h in re.findall(r"^#+ (.*)", text, re.MULTILINE)}


@pytest.fixture(scope="module")
def anchors() -> dict[str, set[str]]:
    """Each page of the site by its path, with the ids that are there."""
    own = {page.path: Reader(rendered(page)).ids for page in PAGES}
    lessons = {lesson_path(n): headings_of(n) for unit in UNITS for n in unit.lessons}
    return own | lessons


def dead(page: Page, anchors: dict[str, set[str]]) -> list[str]:
    """Links of a page that lead nowhere."""
    found = []
    for address in Reader(rendered(page)).links:
        path, _, fragment = address.partition("#")
        folders = page.path.split("/")[:-1]
        while path.startswith("../") and folders:
            path, folders = path[3:], folders[:-1]
        path = "/".join([*folders, path]).removesuffix(".html") if path else page.path
        if path not in anchors or (fragment and fragment not in anchors[path]):
            found.append(address)
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_link_leads_somewhere(page: Page, anchors: dict[str, set[str]]) -> None:
    assert page.source.startswith("# ") and page.title and page.description
    assert "`" not in page.title + page.description
    assert "http:" not in page.source + page.head and "https:" not in page.source + page.head
    assert dead(page, anchors) == []


def test_a_dead_link_is_found(anchors: dict[str, set[str]]) -> None:
    page = BY_PATH["beliefs/last-step-readout"]
    for address in ("../beliefs/lost.html", "../lessons/02_shapes.html#lost", "#lost", "../x.html"):
        planted = page._replace(source=f'{page.source}\n<a href="{address}">x</a>\n')
        assert dead(planted, anchors) == [address]
    misplaced = page._replace(path="last-step-readout")  # all its links begin with ../
    assert dead(misplaced, anchors)


# ── misconceptions ──────────────────────────────────────────────────────────────────────────────


def without_numbers(pages: Iterable[Page]) -> list[str]:
    """Pages of misconceptions that show neither both results nor why there are none."""
    found = []
    for page in pages:
        text = Reader(rendered(page)).text
        both = "What the belief leads to" in text and "What is right" in text
        if both == ("needs a CUDA GPU" in text):
            found.append(page.path)
    return found


def test_every_misconception_has_a_page_with_numbers_or_says_why_not() -> None:
    own = [
        page for page in PAGES if page.path.startswith("beliefs/") and page.path != beliefs.INDEX
    ]
    assert {page.path for page in own} == {f"beliefs/{name}" for name in catalogue()}
    assert without_numbers(own) == []
    numbers = json.loads(SHOWN.read_text(encoding="utf-8"))
    for page in own:
        known = catalogue()[page.path.removeprefix("beliefs/")]
        text = Reader(rendered(page)).text
        assert f"“{plain(known.belief)}”" in text and plain(known.reality) in text
        assert known.demo.rstrip() in page.source
        for value in numbers.get(known.id, ())[1:]:
            assert value in text
        assert ("raises an error" in text) or numbers.get(known.id, ["", ""])[1] != "None"
    cut = own[0]._replace(source=re.sub("<table.*</table>", "", own[0].source))
    assert without_numbers([cut, own[1]]) == [cut.path]


def test_a_page_shows_the_cell_of_the_lesson_as_it_is_stored() -> None:
    page = BY_PATH["beliefs/always-better"]
    lesson = json.loads((notebooks_folder() / UNITS[1].lesson).read_text("utf-8"))
    (cell,) = [c for c in lesson["cells"] if "mis:always-better" in c["metadata"].get("tags", ())]
    assert "".join(cell["source"]) in page.source
    assert "".join(cell["outputs"][0]["text"]).rstrip() in Reader(rendered(page)).text
    drawn = BY_PATH["beliefs/stacked-halves-stay-apart"].source
    assert "data:image/png;base64," in drawn and 'alt="Which inputs reach which outputs.' in drawn
    by_text = BY_PATH["beliefs/swapped-halves"].source
    assert "What is right stands in" in by_text and "build-it" in by_text


def test_what_is_live_in_a_lesson_stays_there() -> None:
    assert not [page.path for page in PAGES if "Run this cell" in page.source]
    assert not [page.path for page in PAGES if "birnn-kept" in page.source]


def test_each_page_leads_to_a_question_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {name for question in practice() for name in question.probes}
    assert asked < catalogue().keys()
    for known in catalogue().values():
        page = BY_PATH[f"beliefs/{known.id}"]
        assert ("## A question on it" in page.source) == (known.id in asked), known.id
    known = catalogue()["last-step-readout"]
    bundles: list[dict[str, Any]] = []
    monkeypatch.setattr(beliefs, "restored", lambda bundle: bundles.append(bundle) or "a quiz")
    monkeypatch.setattr(beliefs, "placeholder", lambda widget: f"<div>{widget}</div>")
    page = beliefs.page(known)
    assert "<div>a quiz</div>" in page.source and "the quiz of unit" not in page.source
    (bundle,) = bundles
    ((kind, ids),) = [(item["kind"], item["questions"]) for item in bundle.values() if item]
    (question,) = [q for q in practice() if q.id in ids]
    assert kind == "quiz" and known.id in question.probes
    assert live({}) is None


def test_pages_name_neighbours_and_the_index_names_all() -> None:
    listed = Reader(rendered(BY_PATH[beliefs.INDEX])).links
    assert {f"../beliefs/{name}.html" for name in catalogue()} <= {*listed}
    for known in catalogue().values():
        own = Reader(rendered(BY_PATH[f"beliefs/{known.id}"])).links
        others = {link[11:-5] for link in own if link.startswith("../beliefs/") and "#" not in link}
        assert known.id not in others
        assert {catalogue()[name].unit for name in others} <= {known.unit}
        alike = sum(m.unit == known.unit for m in catalogue().values()) - 1
        assert len(others) == min(alike, beliefs.NEIGHBOURS)


# ── messages ────────────────────────────────────────────────────────────────────────────────────


def test_every_message_stands_there_with_what_is_said_of_it() -> None:
    text = " ".join(Reader(rendered(BY_PATH["messages"])).text.split())
    assert len(messages()) > 80
    for message in messages():
        for part in (message.raised, message.text, message.code):
            assert " ".join(part.split()) in text
        for name in message.misconceptions:
            assert f"“{plain(catalogue()[name].belief)}”" in text or name not in catalogue()


def test_messages_of_the_lessons_lead_to_them() -> None:
    source = BY_PATH["messages"].source
    assert source.count("Raised on purpose in unit") > 15
    assert 'Raised on purpose in unit 04: <a href="lessons/04_packing.html#' in source


# ── glossary ────────────────────────────────────────────────────────────────────────────────────


def not_in_pytorch(word: glossary.Word) -> bool:
    try:
        eval(word.exists, {"torch": torch, "nn": nn, "F": F})
    except Exception:
        return True
    return False


def test_every_word_is_used_where_it_is_taught_and_code_exists() -> None:
    words = glossary.words()
    assert 40 <= len(words) <= 70
    assert len({word.anchor for word in words}) == len(words)
    assert [w.term for w in words if glossary.taught_in(w) is None] == []
    assert [w.term for w in words if w.exists and not_in_pytorch(w)] == []
    code = {w.term for w in words if w.term.startswith("`")}
    assert code - {w.term for w in words if w.exists} == {"`output`", "`seq_len`"}  # no names of it
    assert all(w.means[0].isupper() or w.means[0] in "`e" for w in words)
    assert all(w.means.endswith(".") and len(w.means.split()) <= 40 for w in words)


def test_a_word_that_nobody_uses_or_that_does_not_exist_is_found() -> None:
    (mask,) = [word for word in glossary.words() if word.term == "mask"]
    assert glossary.taught_in(replace(mask, term="flux capacitor")) is None
    assert glossary.taught_in(replace(mask, used="flux capacitor")) is None
    assert not_in_pytorch(replace(mask, exists="nn.GRU(2, 3, batch_last=True)"))


def test_a_bad_entry_is_refused_in_a_sentence() -> None:
    good = {"term": "a", "unit": "02", "means": "B."}
    assert glossary.parse(good).misconceptions == ()
    for change in ({"unit": "99"}, {"misconceptions": ["none"]}, {"colour": "red"}):
        with pytest.raises(CourseError, match=r"^glossary, a: "):
            glossary.parse({**good, **change})
    with pytest.raises(CourseError, match=r"^glossary, a: "):
        glossary.parse({"term": "a", "unit": "02"})


def test_a_word_that_is_defined_in_bold_is_taught_there() -> None:
    (word,) = [word for word in glossary.words() if word.term == "look-ahead"]
    section = glossary.taught_in(word)
    assert section is not None and section.heading == "Part 6 · Answer late"


# ── front page ──────────────────────────────────────────────────────────────────────────────────


def test_the_front_page_has_the_map_and_the_one_command_of_the_readme() -> None:
    page = BY_PATH["index"]
    links = Reader(rendered(page)).links
    assert [link for link in links if link.startswith("lessons/")] == [
        f"{lesson_path(unit.lesson)}.html" for unit in UNITS
    ]
    assert {f"{beliefs.INDEX}.html", "messages.html", "glossary.html"} < {*links}
    (command,) = re.findall(r"```text\n(.*)\n```", page.source)
    assert re.search(rf"^{command} .*installs into", (ROOT / "README.md").read_text("utf-8"), re.M)


def test_the_front_page_carries_two_networks_and_no_more() -> None:
    script = front.script()
    library = json.loads(re.findall(r"const library = (\{.*\});", script)[0])
    assert library["nets"] == {name: stored()["nets"][name] for name in front.NETS}
    assert "fetch(" not in script and "import " not in script.split("const library")[1][:200]
    assert "</script" not in script
    assert len(script) < 200_000


# ── text that is code, and code that is text ────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        "a * b * c, [x](y) and <b>",
        "`h_n[-1]` is _not_ `output[:, -1]`; $5 & 3 ~ 4 | 5",
        "a backtick ` too many *x*",
        "## no heading, 2 > 1, {curly} \\ back",
    ],
)
def test_nothing_but_code_means_anything(text: str) -> None:
    html = MARKDOWN(f"x {escaped(text)}")
    assert isinstance(html, str)
    reader = Reader(html)
    code = re.findall(r"`([^`]*)`", text) if text.count("`") % 2 == 0 else []
    assert reader.text.strip() == f"x {plain(text) if code else text}"
    assert html.count("<code>") == len(code)
    assert not re.search("<(em|strong|a|b|h2)[ >]", html)


def test_code_cannot_end_its_block_and_html_has_no_blank_line() -> None:
    code = "text = '''\n```\n````\n'''"
    assert Reader(str(MARKDOWN(fenced(code, "python")))).text.strip() == code
    assert "\n\n" not in block("<pre>a\n\n \n\nb</pre>\n")
    assert str(MARKDOWN(block("<div>a\n\nb *c*</div>"))).count("<p>") == 0
    assert [up_from(path) for path in ("index", "a/b", "a/b/c")] == ["", "../", "../../"]


def test_a_file_of_the_pages_is_in_the_package() -> None:
    folder = Path(front.__file__).parent
    for name in ("front.html", "front.css", "front.js", "messages.js", "glossary.yaml"):
        assert (folder / name).is_file()
