"""Everything that the course shows in a notebook is there for everybody, in both themes.

All of it stands on one page. What axe-core finds there is ours; what it finds elsewhere on the page
of JupyterLab is in one list with the thread where it is discussed.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

import birnn_course
from birnn_course.project.report import Part, ProjectReport
from browser.axe import FRAME, RENDERED, thread, violations
from browser.conftest import Scratch, pictured
from browser.lab import Lab
from browser.quizzes import give
from browser.shown import QUIZZES, SHOWN, cell

pytestmark = pytest.mark.browser

OURS = ".birnn-test-ours"
CONTROLS = "input, textarea, button:not(:disabled), summary, [tabindex]"
BAD = '<p style="color: #888; background: #999">pale<img src="x.png"><input></p>'
NO_FOCUS = "* { outline: none !important; box-shadow: none !important; }"


def offered() -> set[str]:
    """The course's functions that return something to look at."""
    found = {"fit"}  # shows how far it is
    for name in birnn_course.__all__:
        function = getattr(birnn_course, name)
        if inspect.isfunction(function) and not name.endswith("ipython_extension"):
            returned = typing.get_type_hints(function).get("return")
            one_of = typing.get_args(returned) or (returned,)  # quiz returns one of two
            found |= {name} if any(hasattr(one, "_repr_mimebundle_") for one in one_of) else set()
    return found


def test_nothing_that_is_shown_is_left_out() -> None:
    assert offered() == {name.partition(":")[0] for name in SHOWN}  # of some, several kinds


@pytest.fixture(scope="module")
def page_of_all(_scratch: Scratch) -> Iterator[Lab]:
    """One page with everything; each question is answered wrong, so that feedback is there."""
    lab = _scratch.open()
    for name in SHOWN:
        output = lab.insert_and_run(cell(name))
        output = output.locator(".jp-OutputArea-output").last  # without the prompt
        expect(output).to_be_visible()
        output.evaluate("(node, ours) => node.classList.add(ours)", OURS[1:])
        if name in QUIZZES:
            panel = output.locator(".birnn-quiz")
            give(panel, QUIZZES[name], right=False, by_keyboard=False)
            expect(panel.get_by_role("status")).to_contain_text("✗ Not yet")
    lab.page.evaluate(
        "document.querySelectorAll('.birnn-panel details').forEach(node => { node.open = true; })"
    )
    assert lab.page.locator(OURS).count() == len(SHOWN)
    with lab.full_height():
        yield lab


@pytest.fixture
def everything(page_of_all: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    for _ in pictured(page_of_all.page, request):
        yield page_of_all


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_nothing_stands_in_anybodys_way(everything: Lab, theme: str) -> None:
    everything.set_theme(theme)
    assert violations(everything.page, OURS) == []
    assert everything.errors() == []


@pytest.mark.parametrize("which", ["first", "last"])
def test_what_nobody_can_read_would_be_found(everything: Lab, which: str) -> None:
    """At both ends of the page, because what is scrolled away would not be checked."""
    everything.set_theme("Light")
    output = getattr(everything.page.locator(OURS), which)
    output.evaluate("(node, bad) => node.insertAdjacentHTML('beforeend', bad)", BAD)
    rules = {found.rule for found in violations(everything.page, OURS)}
    output.evaluate("node => node.lastChild.remove()")
    assert rules == {"color-contrast", "image-alt", "label"}


@pytest.mark.full
def test_what_jupyterlab_leaves_in_the_way_is_listed(everything: Lab) -> None:
    found = []
    for theme in ("Light", "Dark"):
        everything.set_theme(theme)
        found += violations(everything.page, undecided=False)
    by_rule = {rule: [v for v in found if v.rule == rule] for rule in {v.rule for v in found}}
    for rule, cases in sorted(by_rule.items()):
        print(f"{rule}: {len(cases)}, {thread(FRAME, rule)}\n  such as {cases[0].html}")
    # no rule is missing from the list, and none is in it without need
    assert by_rule.keys() == FRAME.keys()
    for rule, listed in FRAME.items():
        assert any(listed.part in case.html + case.selector for case in by_rule[rule]), rule


@pytest.mark.full
def test_what_jupyterlab_makes_of_our_texts_is_listed(lab: Lab) -> None:
    lab.insert_markdown("## Title\n\nA text with a [link](00_start_here.ipynb) and $x$ in it.")
    text = ".jp-RenderedMarkdown"
    expect(lab.page.locator(f"{text} a[href*='00_start']").first).to_be_visible()
    with lab.full_height():
        found = violations(lab.page, text)
    for case in found:
        print(f"{case.rule}: {thread(RENDERED, case.rule)}\n  such as {case.html}")
    assert {case.rule for case in found} == RENDERED.keys()


# Of each control whether its focus shows: the style without, and with.
FOCUS = """([ours, controls]) => {
    const look = node => {
        const style = getComputedStyle(node);
        return {outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
                colour: style.outlineColor, shadow: style.boxShadow};
    };
    const nodes = [...document.querySelectorAll(ours)]
        .flatMap(node => [...node.querySelectorAll('.birnn-panel')])
        .flatMap(node => [...node.querySelectorAll(controls)])
        .filter(node => node.checkVisibility());  // the explorer brings more of them when asked
    return nodes.map(node => {
        document.activeElement.blur();
        const without = look(node);
        node.focus();
        const focused = document.activeElement === node && node.matches(':focus-visible');
        return {node: node.outerHTML.slice(0, 100), without, within: look(node), focused};
    });
}"""


def unseen(page: Page) -> list[str]:
    """Controls that cannot be focused by keyboard, or look the same when they are."""
    page.keyboard.press("Tab")  # from now on the browser takes focus to be the keyboard's
    measured = page.evaluate(FOCUS, [OURS, CONTROLS])
    assert len(measured) > 50
    return [
        each["node"]
        for each in measured
        if not each["focused"]
        or each["without"] == each["within"]
        or (each["within"]["outline"] < 2 and each["within"]["shadow"] == "none")
    ]


def test_the_focus_is_seen_on_every_control(everything: Lab) -> None:
    for theme in ("Light", "Dark"):
        everything.set_theme(theme)
        assert unseen(everything.page) == []
    style = everything.page.add_style_tag(content=NO_FOCUS)
    try:
        assert len(unseen(everything.page)) > 50
    finally:
        style.evaluate("node => node.remove()")


def test_every_widget_announces_what_changes(everything: Lab) -> None:
    """One place for it, there from the start: what is put into it later is read out."""
    places = everything.page.evaluate(
        """ours => [...document.querySelectorAll(ours + ' .birnn-panel')].map(
            panel => panel.querySelectorAll('[role=status]').length)""",
        OURS,
    )
    assert places == [1] * len(places) and len(places) > len(QUIZZES)
    panel = everything.page.locator(f"{OURS} .birnn-quiz").last
    panel.get_by_role("status").evaluate("node => { node.dataset.before = 'yes'; }")
    question = QUIZZES[next(iter(QUIZZES))]
    give(panel, question, right=True, by_keyboard=False)
    expect(panel.get_by_role("status")).to_contain_text("✓ Right.")
    expect(panel.get_by_role("status")).to_have_attribute("data-before", "yes")


def test_nothing_moves(everything: Lab) -> None:
    moving = """ours => [...document.querySelectorAll(ours + ' .birnn-panel')]
        .flatMap(node => node.getAnimations({subtree: true})).length"""
    assert everything.page.evaluate(moving, OURS) == 0
    everything.page.locator(f"{OURS} .birnn-panel").first.evaluate(
        "node => { node.animate({opacity: [0, 1]}, 100_000).id = 'planted'; }"
    )
    assert everything.page.evaluate(moving, OURS) == 1
    everything.page.evaluate("document.getAnimations().forEach(each => each.cancel())")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_of_the_project_is_there_for_everybody(
    page: Page, tmp_path: typing.Any, scheme: typing.Literal["light", "dark"]
) -> None:
    part = Part("`predict`", 3, 6, sentence="Nothing was found.")
    ProjectReport((part,), 0.5, printed="one\n").save(tmp_path / "p.html", "In my *own* words.")
    page.emulate_media(color_scheme=scheme)
    page.goto((tmp_path / "p.html").as_uri())
    assert violations(page) == []
    page.add_style_tag(content="p { color: #999; background: #888; }")
    assert "color-contrast" in {found.rule for found in violations(page)}
