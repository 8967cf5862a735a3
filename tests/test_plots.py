from __future__ import annotations

import io
import itertools
import math
from typing import Any

import pytest
import torch
from PIL import Image

from birnn_course import plot_bars, plot_curves, plot_dependence, plot_grids, plot_lines, plots
from birnn_course.draw.inks import INKS, MODELS, looks
from birnn_course.plots import COLOURS, Picture, describe_map

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
    assert plots.DARK in bundle["text/html"]
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
    def dark(values: torch.Tensor) -> int:
        image = pixels(plot_dependence({"a": values}))
        counts = image.getcolors(image.width * image.height) or []
        return sum(n for n, (r, g, b) in counts if r + g + b < 300)

    empty, lower, full = (dark(values) for values in (SQUARE * 0, SQUARE.tril(), SQUARE))
    # 15 and 25 dots, each more than 30 pixels
    assert lower - empty > 15 * 30 and full - lower == pytest.approx(
        (lower - empty) * 2 / 3, rel=0.2
    )


def test_no_picture_but_a_readers_is_blue_or_orange() -> None:
    def coloured(picture: Picture) -> int:
        image = pixels(picture)
        taken = [
            tuple(int(INKS[i].light[k : k + 2], 16) for k in (1, 3, 5))
            for i in ("forward", "backward")
        ]
        counts = image.getcolors(image.width * image.height) or []
        return sum(n for n, rgb in counts if min(math.dist(rgb, ink) for ink in taken) < 40)

    names = [*MODELS, *(f"class {i}" for i in range(4))]
    options = {"alt": "a", "xlabel": "x", "ylabel": "y"}
    for picture in (
        plot_bars({"g": dict.fromkeys(names, 50.0)}, alt="a", limits={"limit": 60}),
        plot_lines({name: [1.0, 2.0] for name in names}, **options),
        plot_curves(dict.fromkeys(names, ([0, 1], [1, 2])), **options),
        plot_dependence({"both ways": SQUARE}),
        plot_grids({"a": SQUARE.tril()}, **options),
    ):
        assert coloured(picture) == 0
    assert coloured(plot_bars({"g": {"forward half": 50.0}}, alt="a")) > 1_000
    assert coloured(plot_lines({"backward half": [1.0, 2.0]}, **options)) > 100


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_stand_out_from_the_ground(colour: str) -> None:
    assert contrast(colour) >= 3  # WCAG 1.4.11, graphics; all text is black


def test_the_contrast_formula() -> None:
    assert contrast("#000000") == pytest.approx(21)
    assert contrast("#777777") < 4.5 < contrast("#767676")  # the well-known border


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


# ── any quantity, any number of series, any name ────────────────────────────────────────────────


@pytest.fixture
def axes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The first axes of what a function draws, in place of the picture."""

    def drawn(draw: Any, *data: Any, **options: Any) -> Any:
        figure = draw(*data, **{"alt": "a", **options})
        figure.draw_without_rendering()
        return figure.axes[0]

    monkeypatch.setattr(plots, "Picture", lambda figure, alt: figure)
    return drawn


def bars(*values: float) -> dict[str, dict[str, float]]:
    return {f"group {i}": {"a": value} for i, value in enumerate(values)}


def written(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_percent_reach_from_0_to_100(axes: Any) -> None:
    for values in ((3.4, 100.0), (0.0,), (math.nan, 50.0)):
        ax = axes(plot_bars, bars(*values), limits={"guessing": 25})
        assert ax.get_ylim() == pytest.approx((0, 112))
        shown = [tick for tick in ax.get_yticks() if tick <= 112]
        assert shown == [0, 20, 40, 60, 80, 100]
    assert written(axes(plot_bars, bars(3.4, 99.6, -0.2))) == ["3", "100", "0"]
    low, high = axes(plot_bars, bars(-30.0, 250.0)).get_ylim()
    assert low < -30 and high > 250


@pytest.mark.parametrize(
    ("values", "low", "high", "numbers"),
    [
        ((0.346,), 0, 0.39, ["0.346"]),
        ((2.0, 2.484), 0, 2.78, ["2", "2.48"]),
        ((123_456, 246_912.0), 0, 276_541, ["123,456", "246,912"]),
        ((-3.0, -1.0), -3.36, 0, ["-3", "-1"]),
        ((-2.0, 3.0), -2.6, 3.6, ["-2", "3"]),
        ((math.nan, 5.0), 0, 5.6, ["nan", "5"]),
    ],
)
def test_bars_of_any_quantity_fill_their_axis(
    values: tuple[float, ...], low: float, high: float, numbers: list[str], axes: Any
) -> None:
    ax = axes(plot_bars, bars(*values), ylabel="loss in nats")
    assert ax.get_ylim() == pytest.approx((low, high), rel=0.01)
    assert written(ax) == numbers


def test_a_limit_above_all_bars_is_in_the_picture(axes: Any) -> None:
    ax = axes(plot_bars, bars(0.2), ylabel="F1", limits={"best": 0.9})
    assert ax.get_ylim()[1] > 0.9


def test_no_value_at_all_is_a_picture(axes: Any) -> None:
    assert written(axes(plot_bars, bars(math.nan), ylabel="F1")) == ["nan"]
    assert axes(plot_lines, {"a": []}, xlabel="x", ylabel="y").lines


def overlapping(texts: Any) -> list[str]:
    extents = [(text.get_text(), text.get_window_extent()) for text in texts]
    pairs = itertools.combinations(extents, 2)
    return [f"{one} / {other}" for (one, a), (other, b) in pairs if a.overlaps(b)]


def test_many_bars_and_long_names_leave_room_for_each_other(axes: Any) -> None:
    many = {f"group {k}": {f"series {i}": 0.1234 + i + k for i in range(8)} for k in range(9)}
    ax = axes(plot_bars, many, ylabel="loss in nats")
    assert overlapping(ax.texts) == []
    long, series = "a group whose name takes two lines", "a series whose name is a sentence " * 3
    for count in (3, 12):
        named = {f"{i}, {long}": {series: 50.0} for i in range(count)}
        ax = axes(plot_bars, named)
        assert overlapping(ax.get_xticklabels()) == []
        assert ax.bbox.height > 80 and ax.bbox.width > 250
    # Planted: without the mending they run into one another.
    ax.set_xticks(range(12), list(named), rotation=0)
    ax.figure.draw_without_rendering()
    assert overlapping(ax.get_xticklabels())


@pytest.mark.parametrize("kind", ["bars", "lines", "curves"])
def test_more_series_than_colours_are_drawn(kind: str, axes: Any) -> None:
    names = [f"seed {i}" for i in range(9)]
    if kind == "bars":
        ax = axes(plot_bars, {"g": dict.fromkeys(names, 50.0)})
        looks = [(c[0].get_facecolor(), c[0].get_hatch()) for c in ax.containers]
    else:
        heights: Any = [1, 2, 3] if kind == "lines" else ([0, 1, 2], [1, 2, 3])
        draw = plot_lines if kind == "lines" else plot_curves
        ax = axes(draw, dict.fromkeys(names, heights), xlabel="x", ylabel="y")
        looks = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    assert len(set(looks)) == 9


def test_a_reader_has_its_colour_and_pattern(axes: Any) -> None:
    names = ["backward half", "limit", "forward half"]
    curve = ([0, 1], [0, 1])
    ax = axes(plot_curves, dict.fromkeys(names, curve), xlabel="x", ylabel="y")
    look = [(line.get_color(), line.get_linestyle()) for line in ax.lines]
    blue, orange = (INKS[ink].light for ink in ("forward", "backward"))
    assert look == [(orange, "--"), (COLOURS[0], "-"), (blue, ":")]
    ax = axes(plot_bars, {"g": dict.fromkeys(names, 50.0)})
    assert [bars[0].get_hatch() for bars in ax.containers] == ["//", "", ".."]
    assert looks(["forward half"])["forward half"].ink == "forward"


@pytest.mark.parametrize(
    ("heights", "label"),
    [
        ([2.41, 2.5], "loss\n(the axis starts at 2.41)"),
        ([0.0, 2.5], "loss"),
        ([-1.0, 2.5], "loss"),
        ([-2.5, -2.4], "loss\n(the axis ends at -2.4)"),
    ],
)
def test_an_axis_that_leaves_zero_out_says_so(heights: list[float], label: str, axes: Any) -> None:
    ax = axes(plot_lines, {"a": heights}, xlabel="epoch", ylabel="loss")
    assert ax.get_ylabel() == label
    ax = axes(plot_curves, {"a": ([0, 1], heights)}, xlabel="epoch", ylabel="loss")
    assert ax.get_ylabel() == label
    low, high = axes(plot_bars, bars(*heights), ylabel="loss").get_ylim()
    assert low <= 0 <= high


def test_steps_are_counted_in_whole_numbers(axes: Any) -> None:
    for count in (5, 13, 20, 27, 250):
        ax = axes(plot_lines, {"a": [1.0] * count}, xlabel="epoch", ylabel="loss")
        assert all(tick == round(tick) for tick in ax.get_xticks())


def test_lines_may_be_equal_or_have_gaps(axes: Any) -> None:
    ax = axes(plot_lines, {"a": [1.0, 1.0], "b": [1.0, 1.0]}, xlabel="x", ylabel="y")
    assert ax.lines[0].get_linewidth() > ax.lines[1].get_linewidth()
    gaps = {"a": [math.nan, 1.0, 2.0, 9.0], "b": [math.nan, 1.0, 2.0, 9.0]}
    ax = axes(plot_lines, gaps, xlabel="x", ylabel="y")
    assert ax.lines[0].get_linewidth() > ax.lines[1].get_linewidth()


def test_four_limits_are_told_apart(axes: Any) -> None:
    limits = {f"limit {i}": float(i) for i in range(4)}
    ax = axes(plot_bars, bars(50.0), limits=limits)
    assert len({str(line._dash_pattern) for line in ax.lines}) == 4


def test_a_large_map_is_drawn_large_enough(axes: Any) -> None:
    ax = axes(lambda maps, alt: plot_dependence(maps), {"a": torch.ones(40, 40)})
    assert ax.bbox.width / 40 > 10  # pixels of a field; a dot has 8
    assert overlapping(ax.get_xticklabels()) == []
    long = "the map of a model whose name is long"
    two = {f"{i}, {long}": SQUARE for i in range(2)}
    ax = axes(lambda maps, alt: plot_dependence(maps), two)
    assert overlapping([each.title for each in ax.figure.axes]) == []


def test_a_grid_may_be_small_have_holes_and_large_numbers(axes: Any) -> None:
    values = torch.tensor([[1.0, math.nan], [-1234.5, 0.33333]])
    ax = axes(plot_grids, {"a": values}, xlabel="x", ylabel="y", numbers=True)
    assert written(ax) == ["1", "nan", "-1,234", "0.333"]
    assert ax.collections[0].get_clim() == (-1234.5, 1.0)
    ax = axes(plot_grids, {"a": values}, xlabel="x", ylabel="y")
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1"]
