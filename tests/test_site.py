"""The site: made offline from what is stored, whole, with nothing stale and nothing given away."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from linked import dead, elsewhere
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from birnn_course.cli import main
from birnn_course.course import learner_notebooks, notebooks_folder
from birnn_course.descriptor import MIME
from birnn_course.draw.tensors import draw_output
from birnn_course.errors import CourseError
from birnn_course.learner.guessing import guess, measured
from birnn_course.live import placeholder, restored
from birnn_course.questions.bank import bank, practice
from birnn_course.questions.page import values
from birnn_course.questions.widget import Quiz
from birnn_course.site import build, lessons
from birnn_course.site.build import MANIFEST, refuse_strangers, write
from birnn_course.site.lessons import Item, answered, description, folded
from birnn_course.site.pages import Page, lesson_path

LARGEST = 500_000
LINE = {"low": 0, "high": 100, "unit": "%"}


class AskedError(Exception):
    """Something wanted to talk to another machine."""


def refuse(*_: object) -> None:
    raise AskedError


@pytest.fixture(scope="module")
def offline() -> Iterator[None]:
    """Nothing leaves this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(scope="module")
def site(offline: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it."""
    folder = tmp_path_factory.mktemp("site") / "out"
    assert [build.pages()[0].path, len(write(folder))] == ["index", 1], "Sphinx warns"
    return folder


def read(name: str) -> Any:
    return nbformat.read(notebooks_folder() / name, as_version=4)


def outputs(name: str) -> Iterator[Any]:
    for cell in read(name).cells:
        yield from (output.data for output in cell.get("outputs", ()) if "data" in output)


# ── the whole ───────────────────────────────────────────────────────────────────────────────────


def test_the_guard_above_refuses(offline: None) -> None:
    with pytest.raises(AskedError):
        socket.create_connection(("192.0.2.1", 80))


def test_every_notebook_has_its_page(site: Path) -> None:
    for name in learner_notebooks():
        assert (site / f"{lesson_path(name)}.html").is_file()
    assert (site / "index.html").is_file() and (site / "searchindex.js").is_file()


def test_links_and_anchors_are_alive(site: Path) -> None:
    assert dead(site) == []


def test_a_wrong_answer_leads_to_the_part_that_teaches_it(site: Path) -> None:
    asked = [question for question in practice() if question.kind != "code"]
    keys = values(Quiz(asked, remember=False))["keys"]
    for question in asked:
        [link] = re.findall(r'href="([^"]+)"', keys[question.id]["again"])
        path, _, part = link.partition("#")
        assert bool(part) == bool(question.part)
        text = (site / "lessons" / path).resolve().read_text(encoding="utf-8")
        assert not part or f'id="{part}"' in text, link


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    assert [*elsewhere(site)] == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ('<a href="gone.html">x</a>', "gone.html"),
        ('<a href="lessons/a.html#gone">x</a>', "#gone"),
        ('<a href="#gone">x</a>', "#gone"),
        ('<img alt="" src="gone.png">', "gone.png"),
        ('<script src="_static/gone.js"></script>', "gone.js"),
    ],
)
def test_a_dead_link_is_found(tmp_path: Path, planted: str, found: str) -> None:
    (tmp_path / "lessons").mkdir()
    (tmp_path / "lessons" / "a.html").write_text('<h2 id="here"><a href="../b.html">b</a></h2>')
    (tmp_path / "b.html").write_text('<a href="lessons/a.html#here">a</a>')
    assert dead(tmp_path) == []
    (tmp_path / "b.html").write_text(planted)
    [sentence] = dead(tmp_path)
    assert found in sentence


@pytest.mark.parametrize(
    "planted",
    [
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<script src="//example.org/a.js"></script>',
        '<img alt="" src="http://example.org/a.png">',
    ],
)
def test_what_comes_from_elsewhere_is_found(tmp_path: Path, planted: str) -> None:
    (tmp_path / "b.html").write_text(planted)
    assert len([*elsewhere(tmp_path)]) == 1


def test_no_page_is_heavy(site: Path) -> None:
    weights = {path.name: path.stat().st_size for path in site.rglob("*.html")}
    assert max(weights.values()) < LARGEST, weights
    for text in map(Path.read_text, site.rglob("*.html")):
        assert '"library": {"tags"' not in text  # it lies once beside them
    assert len([*(site / "_static").glob("library-*")]) == 1


def test_a_page_says_what_it_is_when_it_is_shared(site: Path) -> None:
    text = (site / "lessons" / "00_start_here.html").read_text(encoding="utf-8")
    assert '<meta property="og:title" content="00 · Start here">' in text
    assert '<meta property="og:image" content="../_static/share.png">' in text
    assert 'name="description" content="How do you know how to say the c in city?' in text
    with Image.open(site / "_static" / "share.png") as picture:
        assert picture.size == (1200, 630)


def test_lessons_follow_one_another(site: Path) -> None:
    names = learner_notebooks()
    for i, name in enumerate(names):
        text = (site / f"{lesson_path(name)}.html").read_text(encoding="utf-8")
        turns = dict(re.findall(r'<a rel="(\w+)" href="([^"]+)"', text))
        around = {"prev": i - 1, "next": i + 1}
        assert turns == {
            turn: names[at].replace(".ipynb", ".html")
            for turn, at in around.items()
            if 0 <= at < len(names)
        }


# ── what stands on a page ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", learner_notebooks())
def test_all_that_can_live_lives(site: Path, name: str) -> None:
    text = (site / f"{lesson_path(name)}.html").read_text(encoding="utf-8")
    alive = [placeholder(w) for data in outputs(name) if (w := restored(data))]
    assert text.count('class="birnn-live"') == len(alive)
    assert all(one in text for one in alive)
    if alive:
        assert "_static/live-" in text


@pytest.mark.parametrize("name", learner_notebooks())
def test_nothing_that_is_stored_is_lost(site: Path, name: str) -> None:
    text = (site / f"{lesson_path(name)}.html").read_text(encoding="utf-8")
    pictures = [
        re.findall(r'src="(data:[^"]+)', data.get("text/html", ""))
        for data in outputs(name)
        if not restored(data)
    ]
    assert all(picture in text for these in pictures for picture in these)
    printed = [
        line
        for cell in read(name).cells
        for output in cell.get("outputs", ())
        if output.output_type == "stream"
        for line in output.text.splitlines()
    ]
    plain = re.sub(r"&(lt|gt|amp);", lambda m: {"lt": "<", "gt": ">", "amp": "&"}[m[1]], text)
    assert [line for line in printed if line.rstrip() not in plain] == []


def test_the_inventory_is_on_no_page(site: Path) -> None:
    asked = {
        name
        for notebook in learner_notebooks()
        for data in outputs(notebook)
        if data.get(MIME, {}).get("kind") == "diagnostic"
        for name in data[MIME]["questions"]
    }
    assert len(asked) >= 12
    text = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    plain = re.sub(r"<[^>]+>|\s|`|\*", "", text)
    for name in asked:
        assert re.sub(r"\s|`|\*", "", bank()[name].text)[:50] not in plain, name
    assert text.count("In the course 12 questions wait here") == 2


def test_what_a_page_cannot_do_is_said_where_it_stands(site: Path) -> None:
    text = (site / "lessons" / "02_shapes.html").read_text(encoding="utf-8")
    assert text.count("Code cannot be run here") == 1
    assert text.index("Code cannot be run here") < text.index('<div class="highlight')
    assert "Run this cell to" not in re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)


def bundled(widget: Any) -> Any:
    return new_output("display_data", data={**widget._stored()})


def printing(text: str) -> Any:
    return new_code_cell("print(1)", outputs=[new_output("stream", name="stdout", text=text)])


def made(*cells: Any) -> str:
    return lessons.page("00_start_here.ipynb", new_notebook(cells=list(cells))).source


def asking(name: str = "01-share") -> Any:
    return new_code_cell("guess()", outputs=[bundled(guess(name, "How many?", **LINE))])


def telling(name: str = "01-share") -> Any:
    return new_code_cell("measured()", outputs=[bundled(measured(name, 80.2, **LINE))])


def test_what_answers_a_guess_is_folded_up_to_the_next_heading() -> None:
    source = made(
        new_markdown_cell("# A\n\nBefore."),
        asking(),
        printing("gives it away"),
        telling(),
        printing("a picture of it"),
        new_markdown_cell("It was eighty."),
        printing("eighty once more"),
        new_markdown_cell("## Next\n\nOpen again."),
        printing("seen"),
    )
    inside = source[source.index("<details") : source.index("</details>")]
    assert source.count("<details") == 1 and 'data-guess="01-share"' in inside
    for text in (
        "gives it away",
        "measured()",
        'data-kind="measured"',
        "a picture of it",
        "eighty",
        "eighty once more",
    ):
        assert text in inside
    for text in ("Before.", "guess()", 'data-kind="guess"', "## Next", "Open again.", "seen"):
        assert text in source and text not in inside


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ("g o", ["", ""]),  # no result, nothing to fold
        ("o m", ["", ""]),  # no guess
        ("g m o g m", ["", "a", "a", "", "a"]),
        ("g h o m t t", ["", "", "a", "a", "a", "a"]),
        ("g m q o", ["", "a", "", ""]),
        ("g m h t", ["", "a", "", ""]),
        ("g m d t", ["", "a", "a", "a"]),
        ("g m n o", ["", "a", "a", "a"]),
    ],
)  # fmt: skip
def test_which_pieces_answer_a_guess(kinds: str, expected: list[str]) -> None:
    of = {
        "g": Item("output", "", "guess", "a"),
        "m": Item("output", "", "measured", "a"),
        "o": Item("output", ""),
        "t": Item("text", ""),
        "h": Item("heading", ""),
        "q": Item("output", "", "quiz"),
        "d": Item("output", "", "drawing"),
        "n": Item("output", "", "measured", "never asked"),
    }
    assert answered([of[kind] for kind in kinds.split()]) == expected


def test_two_guesses_before_their_results_keep_apart() -> None:
    a, b = Item("output", "", "guess", "a"), Item("output", "", "guess", "b")
    results = [Item("output", "", "measured", name) for name in "ab"]
    assert answered([a, b, *results]) == ["", "", "a", "b"]
    assert answered([a, b, *reversed(results)]) == ["", "", "b", "a"]


@pytest.mark.parametrize("name", [n for n in learner_notebooks() if n.startswith(("00", "01"))])
def test_no_guess_of_a_lesson_has_its_answer_beside_it(site: Path, name: str) -> None:
    text = (site / f"{lesson_path(name)}.html").read_text(encoding="utf-8")
    known = [data[MIME] for data in outputs(name) if MIME in data]
    guessed = {one["id"] for one in known if one["kind"] == "guess"}
    answered_here = {one["id"] for one in known if one["kind"] == "measured"} & guessed
    read = Beside()
    read.feed(text)
    assert read.answers >= answered_here and "measured" not in read.beside
    assert read.beside.count("guess") == len(guessed)


class Beside(HTMLParser):
    """The guesses that have something folded, and what is live beside all that is folded."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: set[str] = set()
        self.beside: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "details":
            self._open.append(known.get("data-guess") or "")
            self.answers.add(self._open[-1])
        if "data-kind" in known and not any(self._open):
            self.beside.append(str(known["data-kind"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "details":
            self._open.pop()


def test_text_of_a_notebook_is_markdown_and_no_more(tmp_path: Path) -> None:
    source = made(
        new_markdown_cell("# A\n\n%load_ext is a magic\n\n(a)=\n\n+++\n\nRead {ref}`b` and $x$.")
    )
    page = Page("index", "A", source)
    assert build.build([page], tmp_path / "out") == []
    text = re.sub(r"<[^>]+>", "", (tmp_path / "out" / "index.html").read_text(encoding="utf-8"))
    for kept in ("%load_ext is a magic", "(a)=", "+++", "{ref}b", "$x$"):
        assert kept in text


def test_odd_outputs_come_through() -> None:
    data = {"text/plain": "<Figure>", "image/png": "AAAA\n"}
    colours = new_output("error", ename="ValueError", evalue="\x1b[31m<no>\x1b[0m", traceback=[])
    fence = new_output("stream", name="stdout", text="```\n``````\n")
    table = new_output("display_data", data={"text/html": "<table><tr><td>1</td></tr></table>"})
    source = made(
        new_code_cell("1", outputs=[new_output("display_data", data=data), colours, fence, table])
    )
    assert '<img alt="&lt;Figure&gt;" src="data:image/png;base64,AAAA">' in source
    assert "ValueError: &lt;no&gt;" in source
    assert "```````{raw} html" in source
    assert '<div class="birnn-wide"><table>' in source


def test_a_drawing_stays_as_it_is_stored() -> None:
    import torch

    x = torch.randn(1, 4, 2)
    drawing = draw_output(*torch.nn.GRU(2, 3, batch_first=True, bidirectional=True)(x))
    stored = drawing._repr_mimebundle_()
    source = made(new_code_cell("1", outputs=[new_output("display_data", data=stored)]))
    assert stored["text/html"] in source and "birnn-note" not in source.split("{raw} html")[-1]


def test_the_name_of_a_notebook_leads_to_its_page() -> None:
    assert "[`02_shapes.ipynb`](02_shapes.html)" in made(
        new_markdown_cell("See `02_shapes.ipynb`.")
    )


def test_a_hash_in_code_is_no_heading() -> None:
    source = "# A\n\n```python\n# not one\n```\n\n## B"
    assert [part.strip() for part in lessons._parts(source)] == [
        "", "# A\n\n```python\n# not one\n```", "## B",
    ]  # fmt: skip


def test_the_description_ends_with_a_sentence() -> None:
    long = " ".join(["A sentence of *six* little words."] * 20)
    assert description(f"# T\n\n{long}\n\nMore.").endswith("words.")
    assert len(description(f"# T\n\n{long}")) < lessons.DESCRIBED
    assert description("# T\n\nOne & <b>two</b>.") == "One & two."
    assert description("# T") == ""


def test_a_broken_notebook_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lessons, "notebooks_folder", lambda: tmp_path)
    with pytest.raises(CourseError, match=r"00_start_here\.ipynb cannot be read"):
        lessons.pages()
    (tmp_path / "00_start_here.ipynb").write_text("{}")
    with pytest.raises(CourseError, match=r"00_start_here\.ipynb cannot be read"):
        lessons.pages()


# ── the folder ──────────────────────────────────────────────────────────────────────────────────


def pages_of(*names: str) -> list[Page]:
    links = "\n".join(f"- [{name}]({name}.html)" for name in names)
    made = [Page(name, name.title(), f"# {name.title()}\n\nAll about {name}.") for name in names]
    return [Page("index", "Home", f"# Home\n\n{links}"), *made]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Page]]:
    """The pages that are made: some quick ones, to be changed."""
    pages = pages_of("apples", "pears")
    monkeypatch.setattr(build, "pages", lambda: pages)
    yield pages


def test_a_second_run_leaves_nothing_stale(few: list[Page], tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(out)
    first = {path.relative_to(out) for path in out.rglob("*")}
    write(out)
    assert {path.relative_to(out) for path in out.rglob("*")} == first
    few[:] = pages_of("pears", "plums")
    few[1] = few[1]._replace(source="# Pears\n\nRipe.")
    write(out)
    assert not (out / "apples.html").exists() and (out / "plums.html").exists()
    assert "Ripe." in (out / "pears.html").read_text(encoding="utf-8")
    search = (out / "searchindex.js").read_text(encoding="utf-8")
    assert "plum" in search and "appl" not in search
    assert dead(out) == []
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_only_a_site_is_replaced(few: list[Page], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    write(out)  # an empty folder is welcome
    (out / "CNAME").write_text("my own")
    with pytest.raises(CourseError, match="out holds CNAME"):
        write(out)
    (out / "CNAME").unlink()
    (out / "apples.html").write_text("mine now")
    with pytest.raises(CourseError, match=r"out holds apples\.html"):
        write(out)
    assert (out / "apples.html").read_text() == "mine now"


@pytest.mark.parametrize("manifest", [None, "[]", "nonsense", '{"thesis.txt": 1}', "\xff"])
def test_a_folder_with_other_files_is_refused(tmp_path: Path, manifest: str | None) -> None:
    (tmp_path / "thesis.txt").write_text("a year's work")
    if manifest is not None:
        (tmp_path / MANIFEST).write_bytes(manifest.encode("latin-1"))
    with pytest.raises(CourseError, match=r"holds thesis\.txt"):
        refuse_strangers(tmp_path)


def test_a_link_to_a_folder_in_a_site_is_no_part_of_it(few: list[Page], tmp_path: Path) -> None:
    out, mine = tmp_path / "out", tmp_path / "mine"
    write(out)
    mine.mkdir()
    (out / "link").symlink_to(mine)
    with pytest.raises(CourseError, match="out holds link"):
        write(out)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(CourseError, match="out is a file; name a folder"):
        write(tmp_path / "out")


def test_a_run_that_fails_leaves_the_old_site(
    few: list[Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out)
    before = json.loads((out / MANIFEST).read_text())

    def fails(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(build, "build", fails)
        write(out)
    real = Path.rename

    def refused(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError("no room")
        return real(self, target)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no room"):
        patch.setattr(Path, "rename", refused)
        write(out)
    assert json.loads((out / MANIFEST).read_text()) == before
    refuse_strangers(out)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_arrives_meanwhile_is_kept(
    few: list[Page], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    write(out)
    make = build.build

    def slowly(pages: list[Page], folder: Path) -> list[str]:
        (out / "notes.txt").write_text("mine")
        return make(pages, folder)

    monkeypatch.setattr(build, "build", slowly)
    with pytest.raises(CourseError, match=r"out holds notes\.txt"):
        write(out)
    assert (out / "notes.txt").read_text() == "mine"


def test_what_looks_wrong_is_said(few: list[Page], tmp_path: Path) -> None:
    few.append(Page("odd", "Odd", "# Odd\n\n```{nonsense}\n```"))
    sentences = write(tmp_path / "out")
    assert sentences[0].startswith("out: 4 pages") and "nonsense" in "".join(sentences[1:])


def test_a_page_keeps_its_own_head_and_script(tmp_path: Path) -> None:
    page = Page("index", "A & B", "# A & B", 'Say "it" & <go>', "<meta name=own>", "own();")
    assert build.build([page], tmp_path) == []
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "<title>A &amp; B</title>" in text and "<meta name=own>" in text
    assert 'content="Say &#34;it&#34; &amp; &lt;go&gt;"' in text
    [script] = (tmp_path / "_static").glob("page-*.js")
    assert script.read_text() == "own();" and script.name in text and "own();" not in text


def test_two_builds_are_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        build.build(pages_of("apples"), tmp_path / name)
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            assert (
                path.read_bytes()
                == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()
            )


def test_the_command_says_what_it_has_written(few: list[Page], tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["site", "-o", str(tmp_path / "out")])
    assert result.exit_code == 0 and result.output.startswith("out: 3 pages")
    (tmp_path / "out" / "mine.txt").write_text("x")
    result = CliRunner().invoke(main, ["site", "-o", str(tmp_path / "out")])
    assert result.exit_code == 1 and result.output.startswith("birnn: out holds mine.txt")


def test_a_folded_answer_names_its_guess() -> None:
    assert 'data-guess="01-a&quot;b"' in folded('01-a"b', "text")
