from __future__ import annotations

import io
import math

import pytest
import torch
from PIL import Image

from birnn_course import plot_bars, plot_dependence, plot_grids, plot_lines
from birnn_course.plots import COLOURS, READERS, Picture, describe_map

SQUARE = torch.ones(5, 5)


def pixels(picture: Picture) -> Image.Image:
    return Image.open(io.BytesIO(picture.png)).convert("RGB")


def contrast(colour: str, ground: str = "#FFFFFF") -> float:
    """Contrast ratio of WCAG 2.2."""

    def luminance(code: str) -> float:
        parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(colour), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_a_picture_carries_its_alternative_text_into_html() -> None:
    picture = plot_lines({"a": [1, 2]}, alt='rises & "falls"', xlabel="x", ylabel="y")
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == '[rises & "falls"]'
    assert 'alt="rises &amp; &quot;falls&quot;"' in bundle["text/html"]
    assert pixels(picture).width > 300


def test_a_line_below_another_is_seen() -> None:
    def of_first_colour(first: list[float]) -> int:
        picture = plot_lines({"a": first, "b": [0.0, 2.0]}, alt="two", xlabel="x", ylabel="y")
        wanted = tuple(int(COLOURS[0][i : i + 2], 16) for i in (1, 3, 5))
        return sum(
            n for n, rgb in pixels(picture).getcolors(10_000) or [] if math.dist(rgb, wanted) < 60
        )

    beside, below = of_first_colour([2.0, 0.0]), of_first_colour([0.0, 2.0])
    assert below > beside / 2


def test_the_same_figure_is_the_same_bytes() -> None:
    first, second = (plot_bars({"g": {"a": 10.0, "b": 90.0}}, alt="b is more") for _ in range(2))
    assert first.png == second.png


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (SQUARE.tril(), "output t sees inputs 0 to t"),
        (SQUARE.triu(), "output t sees inputs t to the end"),
        (SQUARE, "every output sees every input"),
        (SQUARE * 0, "no output sees any input"),
        (SQUARE.tril(2), "output t sees inputs 0 to t + 2"),
        (torch.eye(5), "output t sees input t only"),
        (torch.eye(5).flip(0), "another pattern"),
    ],
)
def test_a_map_is_described_as_it_is(values: torch.Tensor, words: str) -> None:
    assert describe_map(values) == words
    assert words in plot_dependence({"a": values}).alt


def test_a_full_map_is_drawn_full_and_an_empty_one_empty() -> None:
    def share_of_blue(values: torch.Tensor) -> float:
        image = pixels(plot_dependence({"a": values}))
        counts = image.getcolors(image.width * image.height) or []
        return sum(n for n, (r, _, b) in counts if b > r + 40) / (image.width * image.height)

    assert share_of_blue(SQUARE) > 0.35
    assert share_of_blue(SQUARE * 0) < 0.01


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_from_the_ground(colour: str) -> None:
    assert contrast(colour) >= 3  # WCAG 1.4.11, graphics; all text is black


def test_the_contrast_formula() -> None:
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#777777") < 4.5 < contrast("#767676")  # the well-known border


def test_the_two_readers_look_the_same_in_every_figure() -> None:
    from birnn_course.plots import _styles

    assert _styles(["one letter late", *reversed(READERS)]) == {
        "one letter late": 2,
        "left to right": 0,
        "both ways": 1,
    }
    assert _styles(["a", "b"]) == {"a": 0, "b": 1}


def test_grids_of_different_widths_share_their_shades_and_show_counts() -> None:
    narrow, wide = torch.zeros(3, 6), torch.ones(3, 24)
    picture = plot_grids({"a": narrow, "b": wide}, xlabel="x", ylabel="y", alt="b is darker")
    assert pixels(picture).width > 300 and picture.alt == "b is darker"
    counts = torch.tensor([[7, 0], [1, 9]])
    plain, written = (
        plot_grids({"a": counts}, xlabel="x", ylabel="y", alt="a", numbers=numbers)
        for numbers in (False, True)
    )
    assert plain.png != written.png
