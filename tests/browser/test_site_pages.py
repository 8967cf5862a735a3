"""Front page, misconceptions, messages and glossary in the browser, opened from the disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page, Request, expect
from test_site_pages import BY_PATH, rendered

from birnn_course.draw.inks import variables
from birnn_course.explain.messages import messages
from birnn_course.explore.nets import rebuilt, stored
from birnn_course.site import front
from birnn_course.site.pages import Page as Source
from browser.axe import violations
from browser.lab import keep_picture, new_page

pytestmark = pytest.mark.browser

FRAME = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>{inks} body {{ --paper: var(--ground); margin: 0; background: var(--ground);
color: var(--text); font: 17px/1.6 sans-serif; overflow-wrap: anywhere; }} a {{ color: inherit; }}
header {{ height: 100px; }} main {{ max-width: 704px; margin: 0 auto; padding: 8px 14px; }}
pre {{ white-space: pre-wrap; }} pre code {{ display: block; }}
table {{ border-collapse: collapse; }} img {{ max-width: 100%; }}
</style>{head}</head><body><header>The site</header><main>{body}</main>
<script>{script}</script></body></html>"""
"""Colours are the site's, its first line is as high as on a phone; its theme is tested apart."""
PHONE = {"width": 390, "height": 844}
FIRST_SCREEN = 720


def written(source: Source, folder: Path, theme: str = "light") -> str:
    """The address of a page on the disk."""
    file = folder / f"{source.path.replace('/', '_')}_{theme}.html"
    html = FRAME.format(
        theme=theme,
        title=source.title,
        inks=variables("body"),
        head=source.head,
        body=rendered(source),
        script=source.script,
    )
    file.write_text(html, encoding="utf-8")
    return file.as_uri()


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The front page on a phone, without a network."""
    page = new_page(browser)
    page.context.set_offline(True)
    page.set_viewport_size(PHONE)
    page.goto(written(BY_PATH["index"], tmp_path))
    yield page
    page.context.close()


def heard(name: str, word: str, uncovered: int) -> tuple[str, float]:
    """What PyTorch says of the first letter: a covered one is zeros after the embedding."""
    net = rebuilt(name).double()
    with torch.no_grad():
        letters = net.embedding(torch.tensor([[ord(letter) - 97 for letter in word]])).clone()
        letters[:, uncovered:] = 0
        best = net.head(net.rnn(letters)[0])[0, 0].softmax(-1).max(0)
    return stored()["tags"][int(best.indices)], float(best.values)


def shown(page: Page) -> tuple[str, int]:
    """What the answer's tile says."""
    text = page.locator(".bf-heard").inner_text()
    return text.split()[0], int(re.findall(r"(\d+) %", text)[0])


def through(page: Page, name: str = "both ways") -> list[bool]:
    """For each letter that is uncovered whether the tile says what PyTorch says."""
    page.get_by_role("button", name="k, as in kite").click()
    found = []
    for uncovered in range(1, len(front.WORD) + 1):
        tag, sure = heard(name, front.WORD, uncovered)
        found.append(shown(page) == (tag, round(100 * sure)))
        page.locator(".bf-go").click()
    return found


def test_the_first_screen_says_what_pytorch_says(opened: Page) -> None:
    answers = [heard("both ways", front.WORD, n)[0] for n in range(1, 5)]
    assert answers == ["K", "S", "S", "S"]  # it turns with the i
    assert heard("left to right", front.WORD, 4)[0] == "K"
    assert through(opened) == [True] * 4
    expect(opened.locator(".bf-heard")).to_have_text("?")  # again from the start
    assert through(opened, "left to right") != [True] * 4  # another network would be noticed


def test_the_guess_comes_first_and_nothing_moves_by_itself(opened: Page) -> None:
    tiles = opened.locator(".bf-tile")
    status = opened.locator(".bf-first [role=status]")
    assert tiles.all_inner_texts() == ["c", "?", "?", "?"]
    assert tiles.evaluate_all("all => all.every(tile => tile.disabled)")
    buttons = opened.locator(".bf-choice")
    assert buttons.all_inner_texts() == ["k, as in kite", "s, as in sun", "Just show me"]
    widths = buttons.evaluate_all("all => all.map(node => node.offsetWidth)")
    assert max(widths) <= min(widths) + 1  # to skip is as easy as to guess
    buttons.nth(1).click()
    expect(status).to_contain_text("You say S. From the c alone a small network says K, 78 % sure.")
    tiles.nth(1).click()  # the next tile does what the button does
    assert tiles.all_inner_texts() == ["c", "i", "?", "?"]
    expect(status).to_contain_text("With the i uncovered it says S.")
    assert opened.locator(".bf-go").evaluate("node => node === document.activeElement")
    assert opened.evaluate("document.getAnimations().length") == 0


def test_by_keyboard_alone(opened: Page) -> None:
    status = opened.locator(".bf-first [role=status]")
    opened.keyboard.press("Tab")
    expect(opened.locator(":focus")).to_have_text("k, as in kite")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    expect(opened.locator(":focus")).to_have_text("Just show me")
    opened.keyboard.press("Enter")
    expect(status).to_contain_text("From the c alone a small network says K")
    expect(status).not_to_contain_text("You say")
    for uncovered in ("ci", "cit", "city"):
        opened.keyboard.press("Space")
        assert "".join(opened.locator(".bf-tile").all_inner_texts()).startswith(uncovered)
    expect(status).to_contain_text("that is a bidirectional RNN")
    expect(opened.locator(":focus")).to_have_text("Start again")
    opened.keyboard.press("Tab")
    opened.keyboard.type("x")
    expect(opened.locator(".bf-own input")).to_have_value(re.compile("x"))
    opened.locator(".bf-go").focus()
    opened.keyboard.press("Enter")
    expect(opened.locator(":focus")).to_have_text("k, as in kite")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_first_screen_holds_the_question_and_nothing_scrolls_sideways(
    opened: Page, width: int
) -> None:
    opened.set_viewport_size({"width": width, "height": FIRST_SCREEN})
    opened.get_by_role("button", name="Just show me").click()
    for _ in range(3):
        opened.locator(".bf-go").click()
    keep_picture(opened, f"site-front-{width}")
    bottom = "node => node.getBoundingClientRect().bottom"
    text = opened.locator(".bf-first [role=status]")
    lines = text.evaluate(
        "node => { const r = document.createRange(); r.selectNodeContents(node);"
        " return r.getBoundingClientRect().bottom; }"
    )
    assert opened.locator(".bf-choices").evaluate(bottom) < FIRST_SCREEN
    assert lines <= FIRST_SCREEN
    opened.locator(".bf-own input").fill("strawberry")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width


def test_a_word_of_ones_own_is_what_both_networks_say_in_pytorch(opened: Page) -> None:
    field, rows = opened.locator(".bf-own input"), opened.locator(".bf-own tbody tr")
    for word in ("face", "knight", "zebra", "strawberry", "a"):
        field.fill(word)
        expect(opened.locator(".bf-own thead th")).to_have_count(len(word))
        ids = torch.tensor([[ord(letter) - 97 for letter in word]])
        for row, name in zip(rows.all(), front.NETS, strict=True):
            with torch.no_grad():
                tags = [stored()["tags"][i] for i in rebuilt(name)(ids)[0].argmax(-1).tolist()]
            spoken = opened.evaluate("tags => tags.map(tag => tag === '_' ? '–' : tag)", tags)
            cells = row.locator("td").evaluate_all("all => all.map(n => n.firstChild.textContent)")
            assert len(cells) == len(spoken) and (cells[0] == "–") == (spoken[0] == "–")
            silent = [tag == "_" for tag in tags]
            assert [cell == "–" for cell in cells] == silent, (word, name)
    field.fill("face")
    expect(rows.nth(0)).to_have_text(re.compile("f.*ay.*s", re.S))
    expect(rows.nth(1)).to_have_text(re.compile("f.*a.*k", re.S))
    assert opened.locator(".bf-own .no").count() == 2  # where the dictionary says otherwise
    expect(opened.locator(".bf-own [role=status]")).to_contain_text("They differ on a and c")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("", "Type a word of 1 to 10 letters."),
        ("two words", "without a space"),
        ("café", "Try cafe"),
        ("привет", "This network has seen English words only"),
        ("東京", "This network has seen English words only"),
        ("c3po", "letters from a to z"),
        ("incomprehensible", "at most 10 letters"),
    ],
)
def test_what_is_no_such_word_gets_a_friendly_sentence(
    opened: Page, word: str, sentence: str
) -> None:
    field, status = opened.locator(".bf-own input"), opened.locator(".bf-own [role=status]")
    field.fill(word)
    expect(status).to_contain_text(sentence)
    expect(status).to_contain_text("Until then you see face.")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("Cab ")
    expect(opened.locator(".bf-own thead th")).to_have_text(["c", "a", "b"])
    expect(field).to_have_attribute("aria-invalid", "false")


SHOWN = ("index", "beliefs/last-step-readout", "beliefs/index", "messages", "glossary")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_left_out(page: Page, tmp_path: Path, theme: str) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith(("file:", "data:")):
            asked.append(request.url)

    page.on("request", note)
    page.set_viewport_size(PHONE)
    for path in SHOWN:
        page.goto(written(BY_PATH[path], tmp_path, theme))
        if path == "index":
            assert violations(page) == []
            page.get_by_role("button", name="s, as in sun").click()
            page.locator(".bf-go").click()
        keep_picture(page, f"site-{path.replace('/', '-')}-{theme}")
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
        # axe cannot say what lies behind a text at the edge of the window
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({**PHONE, "height": height})
        assert violations(page) == [], path
        page.set_viewport_size(PHONE)
    assert asked == []
    page.evaluate("fetch('http://127.0.0.1:9/').catch(() => {})")
    assert asked == ["http://127.0.0.1:9/"]  # one would be noticed


def test_a_message_that_is_pasted_finds_what_is_said_of_it(page: Page, tmp_path: Path) -> None:
    page.goto(written(BY_PATH["messages"], tmp_path))
    field, status = page.locator("#bm-text"), page.locator(".bm-find [role=status]")
    kinds = page.locator(".bm-entry").count()
    expect(status).to_have_text(f"{kinds} kinds of messages.")
    visible = page.locator(".bm-entry:visible")
    for message in messages():
        field.fill(f"  Traceback (most recent call last):\n  …\n{message.raised}\n")
        text = " ".join(visible.all_inner_texts())
        assert " ".join(message.text.split()) in " ".join(text.split()), message.raised
        assert visible.count() <= 3, message.raised
    # other numbers, the same message
    field.fill("RuntimeError: mat1 and mat2 shapes cannot be multiplied (640x256 and 128x10)")
    expect(visible).to_have_count(1)
    expect(visible).to_contain_text("a bidirectional RNN joins both directions")
    expect(status).to_contain_text("One kind of message: RuntimeError: mat1 and mat2")
    expect(page.get_by_role("heading", name="Padding and packing")).to_have_count(1)
    field.fill("MKLDNN_dtype")
    expect(visible).to_have_count(1)
    field.fill("ModuleNotFoundError: No module named 'x'")
    expect(visible).to_have_count(0)
    expect(status).to_contain_text("No message like this is explained here.")
    field.fill("")
    expect(visible).to_have_count(kinds)
