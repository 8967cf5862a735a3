"""Every colour that we name is read on what it stands on, in every theme; and nothing moves."""

from __future__ import annotations

import re
from importlib.metadata import distribution
from pathlib import Path

import colours
import matplotlib as mpl
import nbformat
import pytest
from colours import GRAPHIC, TEXT, Pair

import birnn_course
from birnn_course.draw.inks import INKS, READERS, SERIES
from birnn_course.plots import DARK, LIGHTEST

import notebooks as tool

PACKAGE = Path(birnn_course.__file__).parent
SOURCES = [p for p in sorted(PACKAGE.rglob("*")) if p.suffix in {".py", ".css", ".js", ".html"}]

# Every colour stands in here; a new one fails the test until somebody says what it is read on.
PAIRS = {
    "widgets.css": [
        Pair("--jp-content-font-color1", "--jp-layout-color1"),  # text
        Pair("--jp-content-font-color1", "--jp-layout-color0"),  # what is typed
        Pair("--jp-content-font-color2", "--jp-layout-color0", GRAPHIC),  # edges of fields
        Pair("--jp-content-font-color2", "--jp-layout-color1", GRAPHIC),
    ],
    "grading/templates/base.html": [
        Pair("#1b1b1b", "#fff"),
        Pair("#1b1b1b", "#f0f0f0"),
        Pair("#0b57a4", "#fff"),
        Pair("#0b57a4", "#f0f0f0"),
        Pair("#595959", "#fff"),
        Pair("#595959", "#f0f0f0"),
        Pair("#767676", "#fff", GRAPHIC),
        Pair("#0072b2", "#fff", GRAPHIC),
        Pair("#d55e00", "#fff", GRAPHIC),
    ],
    "slides/deck.css": [
        Pair("#1a1a1a", "#fff"),
        Pair("#1a1a1a", "#f4f4f2"),  # code, and its four other colours
        *(Pair(code, "#f4f4f2") for code in ("#7a1f7a", "#8a3b00", "#4d5a4d", "#00508a")),
        Pair("#00508a", "#fff", GRAPHIC),  # the focus
        Pair("#555", "#fff", GRAPHIC),  # how far the lecture is
    ],
    "plots.py": [
        Pair("black", "white"),
    ],
}
# Where nothing is lost if it is not seen, and why.
DECORATION = {
    "widgets.css": {"--jp-border-color1": "a frame around what has a heading or a legend"},
    "exercises/report.py": {"--jp-border-color1": "a frame around what has a heading"},
    "grading/templates/base.html": {
        "#bbb": "a line below a heading, a frame around what has one",
        "#ddd": "a line between rows",
        "#f6d5bd": "between the stripes of a bar whose number stands beside it",
    },
    "slides/deck.css": {"#999": "a line beside an output or a guess, or between rows"},
    "plots.py": {
        "#bbbbbb": "a line between fields",
        "#dddddd": "a line behind the values",
    },
}
# Where there is no theme the browser chooses these, each two of them to be read on one another.
CHOSEN_BY_THE_BROWSER = {"CanvasText": "Canvas", "ButtonText": "ButtonFace", "Field": "Canvas"}
MOTION = (
    r"\btransition(?!: \"?none\b)|\banimat(?:e|ion)|@keyframes|scroll-behavior|<marquee|<blink"
    r"|\.gif\b"
)


def themes() -> dict[str, colours.Theme]:
    sheet = re.compile(r"theme-([\w-]+)-extension/index\.css$")
    lab = distribution("jupyterlab")
    found = {m[1]: file for file in lab.files or () if (m := sheet.search(str(file)))}
    return {name: colours.Theme(Path(str(lab.locate_file(file)))) for name, file in found.items()}


def untested(name: str, used: set[str]) -> set[str]:
    """Colours of a source for which nobody says what they are read on."""
    tested = {colour for pair in PAIRS.get(name, ()) for colour in pair[:2]}
    by_browser = {*CHOSEN_BY_THE_BROWSER, *CHOSEN_BY_THE_BROWSER.values()}
    return used - tested - DECORATION.get(name, {}).keys() - by_browser


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_colour_has_a_test(path: Path) -> None:
    assert untested(path.relative_to(PACKAGE).as_posix(), colours.named(path)) == set()


def test_no_colour_has_a_test_without_need() -> None:
    for name, pairs in PAIRS.items():
        listed = {colour for pair in pairs for colour in pair[:2]} | DECORATION[name].keys()
        assert listed <= colours.named(PACKAGE / name)


@pytest.mark.parametrize(
    ("file", "source", "found"),
    [
        ("a.css", "p { color: tomato }", {"tomato"}),
        ("a.css", "p { border: 1px solid RGBA(0, 0, 0, .1) }", {"rgba(0, 0, 0, .1)"}),
        ("a.css", "p { background: var(--jp-warn-color1, Mark) }", {"--jp-warn-color1", "Mark"}),
        ("a.css", "/* red: no; */ .red { margin: 0 }", set()),
        ("a.html", '<p style="color: #ABC">red</p>', {"#abc"}),
        ("a.html", "<style>p { outline: 1px solid hsl(1 2% 3%) }</style>", {"hsl(1 2% 3%)"}),
        ("a.js", "node.style.color = 'teal';", {"teal"}),
        ("a.py", "cell = f'<td style=\"background:{x};color:navy\">'", {"navy"}),
        ("a.py", "import matplotlib\nplot(color='k', edgecolor='C3')", {"k", "c3"}),
        ("a.py", "import matplotlib\nplot(cmap='viridis')", {"viridis"}),
        ("a.py", 'def f():\n    """import matplotlib: color: red."""\n    return "red"', set()),
    ],
)
def test_a_new_colour_is_found(tmp_path: Path, file: str, source: str, found: set[str]) -> None:
    path = tmp_path / file
    path.write_text(source)
    assert colours.named(path) == found == untested(file, found)


def too_weak(pairs: list[Pair], theme: colours.Theme | None = None) -> list[str]:
    """Pairs below their least contrast."""
    return [
        f"{pair.front} on {pair.ground}: {ratio:.2f}, not {pair.least}"
        for pair in pairs
        if (ratio := _measured(pair, theme)) < pair.least
    ]


def _measured(pair: Pair, theme: colours.Theme | None) -> float:
    if theme is not None:
        return theme.contrast(pair)
    ground = colours.opaque(pair.ground)
    return colours.contrast(colours.opaque(pair.front, ground), ground)


def test_the_formula_is_that_of_wcag() -> None:
    white, black = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    assert colours.contrast(white, black) == colours.contrast(black, white) == 21
    # the two greys that lie around the limit
    assert too_weak([Pair("#777777", "#ffffff")]) == ["#777777 on #ffffff: 4.48, not 4.5"]
    assert too_weak([Pair("#767676", "#ffffff")]) == []
    assert colours.opaque("rgba(0, 0, 0, 0.5)") == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("name", sorted(PAIRS.keys() - {"widgets.css"}))
def test_our_own_colours_are_read(name: str) -> None:
    assert too_weak(PAIRS[name]) == []
    assert too_weak([*PAIRS[name], Pair("#999", "#fff", GRAPHIC)]) != []


@pytest.mark.parametrize("name", ["light", "dark", "dark-high-contrast"])
def test_the_widgets_are_read_in_every_theme(name: str) -> None:
    theme = themes()[name]
    assert too_weak(PAIRS["widgets.css"], theme) == []
    assert too_weak([Pair("--jp-layout-color2", "--jp-layout-color1", GRAPHIC)], theme) != []


def test_all_themes_are_tested() -> None:
    assert themes().keys() == {"light", "dark", "dark-high-contrast"}


def in_the_dark(colour: colours.RGB) -> colours.RGB:
    """What a dark theme makes of a colour of an image: the filters of CSS, in their order."""
    found = re.fullmatch(r"filter: invert\(([\d.]+)\) hue-rotate\(180deg\)", DARK)
    assert found
    turned = float(found[1])
    red, green, blue = (turned + c * (1 - 2 * turned) for c in colour)
    # hue-rotate(180deg), by the matrix of the specification "Filter Effects", section 9.5
    luma = 0.213 * red + 0.715 * green + 0.072 * blue
    rotated = (2 * luma - red, 2 * luma - green, 2 * luma - blue)
    return tuple(min(max(c, 0.0), 1.0) for c in rotated)  # type: ignore[return-value]


def test_figures_are_read_in_the_dark() -> None:
    ground = in_the_dark((1, 1, 1))
    assert ground == pytest.approx((0.07, 0.07, 0.07))  # JupyterLab's own is 0x11, that is 0.067
    assert colours.contrast(in_the_dark((0, 0, 0)), ground) >= TEXT
    for ink in (*SERIES, "forward", "backward", "muted"):
        for theme in (lambda c: c, in_the_dark):
            least = colours.contrast(theme(colours.opaque(INKS[ink].light)), theme((1.0, 1.0, 1.0)))
            assert least >= TEXT, ink
    # a reader keeps its colour: blue is bluest and orange reddest in either theme
    blue, orange = (in_the_dark(colours.opaque(INKS[ink].light)) for ink in READERS)
    assert blue[2] > blue[1] > blue[0] and orange[0] > orange[1] > orange[2]
    assert colours.contrast(in_the_dark((0.6, 0.6, 0.6)), ground) < TEXT


def test_numbers_are_read_on_every_shade() -> None:
    shades = mpl.colormaps["Greys"]
    for theme in (lambda c: c, in_the_dark):
        for share in (LIGHTEST * i / 500 for i in range(501)):
            ground = theme(shades(share)[:3])
            assert colours.contrast(theme((0.0, 0.0, 0.0)), ground) >= TEXT, share
        # on the darkest of them all they would not be
        assert colours.contrast(theme((0.0, 0.0, 0.0)), theme(shades(0.7)[:3])) < TEXT


def test_what_matplotlib_writes_is_black_on_white() -> None:
    """Titles, labels and ticks, whose colours are matplotlib's."""
    texts = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.titlecolor")
    assert {mpl.rcParamsDefault[name] for name in texts} <= {"black", "auto"}
    assert mpl.rcParamsDefault["axes.facecolor"] == "white"


def test_notebooks_name_no_colours() -> None:
    """What they show comes from the package, where it is tested."""
    style = re.compile(r"style\s*=|<font\b|\bcolou?rs?\s*=|\bcmap\s*=")
    for path in tool.stored():
        for cell in nbformat.read(path, as_version=4).cells:
            assert not style.search(cell.source), (path.name, cell.source)
    assert style.search('<p style="color: red">') and style.search("plot(x, color='red')")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_moves(path: Path) -> None:
    assert not re.search(MOTION, path.read_text(encoding="utf-8"), re.IGNORECASE)


@pytest.mark.parametrize(
    "planted",
    [
        "p { transition: opacity 1s }",
        'Reveal.initialize({ transition: "slide" })',
        "p { animation: spin 2s }",
        "@keyframes spin {}",
        "html { scroll-behavior: smooth }",
        "node.animate([])",
    ],
)
def test_what_moves_would_be_found(planted: str) -> None:
    assert re.search(MOTION, planted, re.IGNORECASE)
