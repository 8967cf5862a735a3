"""The drawings show the tensors that they are given, in both themes, and are small."""

from __future__ import annotations

import base64
import io
import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest
import torch
from colours import Pair, contrast, opaque
from PIL import Image
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

from birnn_course.draw.batches import draw_packed, draw_padded
from birnn_course.draw.beside import beside
from birnn_course.draw.drawing import Drawing
from birnn_course.draw.inks import INKS
from birnn_course.draw.memory import draw_memory
from birnn_course.draw.reading import SHOWN, draw_reading
from birnn_course.draw.scene import Box, Cells, Label, Line, Scene
from birnn_course.draw.shapes import draw_shapes
from birnn_course.draw.tensors import draw_output, draw_slice
from birnn_course.errors import CourseError

MOST = 15_000  # bytes of a drawing in a notebook
WORDS = ("cat", "bottle", "a", "phone")


def gru(hidden: int = 16, layers: int = 1, both: bool = True) -> nn.GRU:
    torch.manual_seed(0)
    return nn.GRU(3, hidden, layers, bidirectional=both, batch_first=True)


def output_of(batch: int, steps: int, layers: int = 1) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        output, h_n = gru(4, layers)(torch.randn(batch, steps, 3))
    return output, h_n


def lstm(layers: int = 2, **options: bool) -> nn.LSTM:
    torch.manual_seed(0)
    return nn.LSTM(3, 4, layers, bidirectional=True, **options)


def batch() -> dict[str, Tensor]:
    """A batch of three words on its way through a model."""
    torch.manual_seed(0)
    ids = torch.tensor([[11, 14, 9, 7, 8, 20], [3, 9, 20, 25, 0, 0], [1, 0, 0, 0, 0, 0]])
    with torch.no_grad():
        embedded = nn.Embedding(27, 3)(ids)
        output, h_n = gru(4)(embedded)
        summary = torch.cat([h_n[-2], h_n[-1]], dim=1)
        scores = nn.Linear(8, 2)(summary)
    found = {"ids": ids, "embedded": embedded, "output": output, "h_n": h_n}
    return {**found, "summary": summary, "scores": scores}


X = torch.arange(12.0).view(2, 6)
H_N = torch.arange(12.0).view(2, 3, 2)
READ = "h_n.view(2, num_layers, B, H)[:, -1]"
DRAWINGS: dict[str, Callable[[], Drawing]] = {
    "reading": lambda: draw_reading(gru(), torch.randn(5, 3), "phone", at=1, answers="F-ON-"),
    "one way": lambda: draw_reading(gru(both=False), torch.randn(4, 3), "city", at=2),
    "output": lambda: draw_output(*output_of(3, 6)),
    "two layers": lambda: draw_output(*output_of(2, 4, 2)),
    "a slice": lambda: draw_slice(gru(4), torch.randn(3, 7, 3), "output[:, -1]"),
    "a slice of an LSTM": lambda: draw_slice(lstm(), torch.randn(6, 2, 3), "c_n[-1]"),
    "a regrouped state": lambda: draw_slice(lstm(), torch.randn(6, 2, 3), READ),
    "one way, one step": lambda: draw_slice(gru(4, both=False), torch.randn(2, 1, 3), "h_n[-1]"),
    "shapes": lambda: draw_shapes(batch(), ("knight", "city", "a")),
    "states in memory": lambda: draw_memory(
        H_N,
        "abc",
        {
            "h_n.reshape(3, -1)": H_N.reshape(3, -1),
            "h_n.transpose(0, 1).reshape(3, -1)": H_N.transpose(0, 1).reshape(3, -1),
        },
        name="h_n",
    ),
    "memory": lambda: draw_memory(X, "ab", {"x.view(6, 2)": X.view(6, 2), "x.T": X.T}),
    "padded": lambda: draw_padded(WORDS),
    "packed": lambda: draw_packed(WORDS),
}
each_drawing = pytest.mark.parametrize("make", DRAWINGS.values(), ids=DRAWINGS)


def shown(drawing: Drawing) -> str:
    return drawing._repr_mimebundle_()["text/html"]


@each_drawing
def test_a_drawing_is_small_and_whole(make: Callable[[], Drawing]) -> None:
    drawing = make()
    page = shown(drawing)
    assert len(page.encode()) <= MOST
    svg = ElementTree.fromstring(page[page.index("<svg") : page.index("</figure>")])
    width, height = (float(svg.attrib[name]) for name in ("width", "height"))
    png = Image.open(io.BytesIO(base64.b64decode(page.split("base64,")[1].split('"')[0])))
    assert min(width, 640) / 2 - 1.5 < png.width < min(width, 640) + 1.5
    assert Image.open(io.BytesIO(drawing.scene.png())).width > min(width, 640) - 1.5
    assert abs(png.height / png.width - height / width) < 0.01
    assert len(png.getcolors() or []) > 3
    # nothing lies beside the sheet
    for shape in drawing.scene.shapes:
        right, bottom = shape._far()
        assert right <= width and bottom <= height


@each_drawing
def test_one_text_for_those_who_see_neither_picture(make: Callable[[], Drawing]) -> None:
    drawing = make()
    bundle = drawing._repr_mimebundle_()
    assert bundle["text/plain"] == f"[{drawing.alt}]"
    assert bundle["text/html"].count(drawing.alt) == 2  # of the PNG and of the SVG
    assert drawing.alt.endswith(".") and not re.search(r"\d\.\d", drawing.alt)


def test_the_names_in_two_drawings_differ() -> None:
    pages = [shown(DRAWINGS[name]()) for name in ("output", "two layers", "padded")]
    names = [name for page in pages for name in re.findall(r'id="([^"]+)"', page)]
    assert len(names) == len(set(names)) > 3
    for page in pages:
        assert {*re.findall(r"url\(#([^)]+)\)", page)} == {*re.findall(r'id="([^"]+)"', page)}


# ── What is drawn is what the tensors hold ──────────────────────────────────────────────────────


def cells_of(drawing: Drawing, ink: str) -> list[Cells]:
    return [s for s in drawing.scene.shapes if isinstance(s, Cells) and s.ink == ink]


@pytest.mark.parametrize("batch_first", [True, False])
def test_the_states_are_those_of_the_rnn(batch_first: bool) -> None:
    torch.manual_seed(1)
    rnn = nn.LSTM(3, 20, bidirectional=True, batch_first=batch_first)
    x = torch.randn(4, 3)
    with torch.no_grad():
        output = rnn(x[None] if batch_first else x[:, None])[0].reshape(4, 40)
    drawing = draw_reading(rnn, x, "city")
    for ink, half in (("forward", output[:, :20]), ("backward", output[:, 20:])):
        drawn = torch.tensor([cells.values for cells in cells_of(drawing, ink)])
        torch.testing.assert_close(drawn, half[:, :SHOWN], rtol=0, atol=1e-6)


def test_a_square_is_as_large_as_its_number_and_filled_if_it_is_positive() -> None:
    squares = [*Cells([0.5, -1.0, 0.0, 9.0], 0, 0, 10, 2, "forward")._squares()]
    assert [size / 8.5 for _, _, size, _ in squares] == [0.5, 1.0, 0.12, 1.0]
    assert [filled for *_, filled in squares] == [True, False, False, True]
    middles = [(left + size / 2, top + size / 2) for left, top, size, _ in squares]
    assert middles == [(5, 5), (15, 5), (5, 15), (15, 15)]


@pytest.mark.parametrize("at", range(5))
def test_what_an_output_has_not_read_is_faded(at: int) -> None:
    drawing = draw_reading(gru(), torch.randn(5, 3), "phone", at=at)
    assert [not c.faded for c in cells_of(drawing, "forward")] == [t <= at for t in range(5)]
    assert [not c.faded for c in cells_of(drawing, "backward")] == [t >= at for t in range(5)]


def test_the_final_states_are_lit_where_they_stand() -> None:
    drawing = draw_output(*output_of(3, 6))
    boxes = [s for s in drawing.scene.shapes if isinstance(s, Box)]
    lit = {
        ink: [b for b in boxes if b.pattern == ink and b.thick == 3]
        for ink in ("backward", "forward")
    }
    in_output = {ink: min(b.x for b in found if b.width < 60) for ink, found in lit.items()}
    columns = sorted({b.x for b in boxes if b.pattern == "forward" and b.width < 60})
    assert in_output == {"backward": columns[0], "forward": columns[5]}
    assert [len(found) for found in lit.values()] == [2, 2]  # in output, and in h_n


def ends_of(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """Where the line of each reader begins and ends, in x and y."""
    lines = [s for s in drawing.scene.shapes if isinstance(s, Line) and s.arrow]
    return {line.ink: (line.points[0][0], line.points[-1][1]) for line in lines}


def test_a_line_goes_from_each_block_to_where_its_values_stand() -> None:
    output, h_n = output_of(3, 6)
    right, turned = ends_of(draw_output(output, h_n)), ends_of(draw_output(output, h_n.flip(0)))
    assert right["backward"][0] < right["forward"][0]
    assert right["forward"][1] < right["backward"][1]
    assert turned["forward"][1] > turned["backward"][1]  # the other block
    assert not ends_of(draw_output(output, h_n + 1))
    assert "do not stand at its ends" in draw_output(output, h_n + 1).alt
    assert "do not stand at its ends" in draw_output(output, h_n.flip(0)).alt
    assert len(ends_of(draw_output(*output_of(2, 4, 2)))) == 2  # those of the last layer


def test_where_a_summary_comes_from_is_found_by_its_values() -> None:
    tensors = batch()
    assert draw_shapes(tensors).alt.endswith(
        "h_n[0] is the forward half of step 5. h_n[1] is the backward half of step 0. "
        "summary[:, :4] is h_n[0]. summary[:, 4:8] is h_n[1]."
    )
    del tensors["h_n"]
    wrong = draw_shapes({**tensors, "summary": tensors["output"][:, -1]})
    assert wrong.alt.endswith(
        "summary[:, :4] is the forward half of step 5. "
        "summary[:, 4:8] is the backward half of step 5."
    )
    moved = draw_shapes({**tensors, "summary": tensors["summary"] + 1})
    assert moved.alt.endswith("scores (3, 2).")
    texts = [s.text for s in draw_shapes(tensors).scene.shapes if isinstance(s, Label)]
    assert [n for n in texts if n.isdigit()] == [str(n) for n in tensors["ids"].flatten().tolist()]
    sounds = {"ids": tensors["ids"], "output": tensors["output"], "sounds": tensors["ids"] + 1}
    assert "; sounds (3, 6)." in draw_shapes(sounds, ("knight", "city", "a")).alt


def test_a_row_of_mixed_samples_is_marked() -> None:
    texts = [s.text for s in DRAWINGS["states in memory"]().scene.shapes if isinstance(s, Label)]
    assert [t for t in texts if t[0] in "✓✗"] == [
        "✗ a, b", "✗ a, c", "✗ b, c", "✓ a", "✓ b", "✓ c",
    ]  # fmt: skip


def test_memory_is_in_the_order_of_memory() -> None:
    texts = [s.text for s in DRAWINGS["memory"]().scene.shapes if isinstance(s, Label)]
    strip = [f"{row}{i}" for row in "ab" for i in range(6)]
    assert texts[1:13] == strip
    view = texts[texts.index("x.view(6, 2)") + 1 :][:12]
    assert view == strip
    turned = texts[texts.index("x.T") + 1 :][:12]
    assert turned == [f"{row}{i}" for i in range(6) for row in "ab"]


def test_packed_is_what_pytorch_packs() -> None:
    lengths = torch.tensor([len(word) for word in WORDS])
    packed = pack_padded_sequence(
        torch.zeros(4, 6, 1), lengths, batch_first=True, enforce_sorted=False
    )
    labels = [s.text for s in DRAWINGS["packed"]().scene.shapes if isinstance(s, Label)]
    order = [label for label in labels if label in "ABCD"]
    assert packed.sorted_indices is not None
    assert order == ["ABCD"[i] for i in packed.sorted_indices.tolist()]
    assert [int(n) for n in labels if n.isdigit()] == packed.batch_sizes.tolist()
    pads = [s for s in DRAWINGS["padded"]().scene.shapes if getattr(s, "pattern", "") == "pad"]
    assert len(pads) == 4 * 6 - int(lengths.sum())


# ── Colours ─────────────────────────────────────────────────────────────────────────────────────


def written(drawing: Drawing) -> set[Pair]:
    """Each ink that something is written in, with the ink of what lies below it."""
    pairs = set()
    below = [shape for shape in drawing.scene.shapes if isinstance(shape, Box)]
    for shape in drawing.scene.shapes:
        if isinstance(shape, Label):
            grounds = [b for b in below if _holds(b, shape)]
            assert not grounds or not grounds[-1].pattern, "nobody reads a text on a pattern"
            pairs.add(Pair(shape.ink, grounds[-1].fill if grounds else "ground"))
    return pairs


def _holds(box: Box, label: Label) -> bool:
    inside = 0 <= label.x - box.x <= box.width
    return inside and 0 <= label.y - box.y <= box.height


def faint(pairs: set[Pair], theme: str) -> set[Pair]:
    def rgb(ink: str) -> tuple[float, float, float]:
        return opaque(getattr(INKS[ink], theme))

    return {p for p in pairs if contrast(rgb(p.front), rgb(p.ground)) < p.least}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_written_can_be_read(theme: str) -> None:
    pairs = {pair for make in DRAWINGS.values() for pair in written(make())}
    # the explorer writes these, too
    pairs |= {Pair("right", "ground"), Pair("wrong", "ground"), Pair("muted", "ground")}
    assert len(pairs) > 7
    assert faint(pairs, theme) == set()
    planted = Scene()
    planted.add(Box(0, 0, 50, 20, fill="forward"), Label(20, 10, "a", ink="pad"))
    assert faint(written(Drawing(planted, "A.")), theme) == {Pair("pad", "forward")}


# ── What cannot be drawn is said in a sentence ──────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("draw", "sentence"),
    [
        (lambda: draw_reading(gru(), torch.randn(5, 3), "city"), "one of labels per step: 5"),
        (lambda: draw_reading(gru(), torch.randn(4, 3), "city", at=4), "steps 0 to 3"),
        (lambda: draw_output(torch.zeros(2, 3, 8), torch.zeros(2, 2, 3)), "2 * hidden_size"),
        (lambda: draw_output(*output_of(2, 30)), "room for 10 steps"),
        (lambda: draw_output(*output_of(2, 4), lit="output[:, 9]"), "output[:, 9] cannot be taken"),
        (lambda: draw_output(*output_of(2, 4), lit="h_n[0] + h_n[1]"), "h_n[0] + h_n[1] computes"),
        (lambda: draw_output(*output_of(2, 4), lit="h_n[2:]"), "h_n[2:] takes nothing"),
        (lambda: draw_output(*output_of(2, 4), lit="B"), "B is no tensor"),
        (lambda: draw_output(*output_of(2, 4), lit="open('x')"), "cannot be taken here"),
        (lambda: draw_slice(gru(4), torch.randn(4, 3), "h_n"), "batch of three axes"),
        (lambda: draw_shapes({}), "begins with a tensor of shape (batch, seq_len)"),
        (lambda: draw_shapes({"ids": torch.zeros(2, 30)}), "room for 10 steps"),
        (lambda: draw_shapes({"ids": torch.zeros(2, 3)}, ["a"]), "2 words of at most 3"),
        (lambda: draw_shapes({"ids": X, "x": X[:1]}), "cannot draw x of shape (1, 6)"),
        (lambda: draw_memory(torch.zeros(2, 3), "ab", {}), "two of them are equal"),
        (lambda: draw_memory(X, "a", {}), "one name per row"),
        (lambda: draw_memory(X, "ab", {"half": X[:1]}), "half does not have the same numbers"),
        (lambda: draw_padded([]), "1 to 12 words"),
        (lambda: draw_packed(["", "a"]), "1 to 12 letters"),
    ],
)
def test_what_cannot_be_drawn_is_said(draw: Callable[[], Drawing], sentence: str) -> None:
    with pytest.raises(CourseError, match=re.escape(sentence)):
        draw()


def test_a_text_is_escaped_everywhere() -> None:
    scene = Scene()
    scene.add(Label(5, 5, "<b>&\"'"), Line([(0, 0), (9, 9)]))
    page = shown(Drawing(scene, 'A "quoted" <b>.'))
    assert "<b>" not in page
    ElementTree.fromstring(page[page.index("<svg") : page.index("</figure>")])


@pytest.mark.parametrize("above", ["box", "line"])
def test_in_the_png_too_the_last_shape_lies_on_top(above: str) -> None:
    box = Box(10, 10, 20, 20, "violet", "violet")
    line = Line([(20, 0), (20, 40)], "text", 4)
    scene = Scene([line, box] if above == "box" else [box, line])
    pixel = Image.open(io.BytesIO(scene.png())).convert("RGB").getpixel((20, 20))
    ink = INKS["violet" if above == "box" else "text"].light
    assert pixel == pytest.approx(tuple(int(ink[i : i + 2], 16) for i in (1, 3, 5)), abs=6)


@pytest.mark.parametrize(
    ("shape", "caption"),
    [
        ((4,), "first case, shape (4,)"),
        ((2, 3), "first case, shape (2, 3)"),
        ((2, 3, 4), "first case, shape (2, 3, 4): [0] is shown"),
        ((2, 3, 4, 5), "first case, shape (2, 3, 4, 5): [0, 0] is shown"),
        ((50, 70), "first case, shape (50, 70)"),
    ],
)
def test_a_result_stands_beside_the_reference(shape: tuple[int, ...], caption: str) -> None:
    right = torch.linspace(1, -1, math.prod(shape)).view(shape)
    page = beside("f", right, right)
    assert f'aria-label="The result of f in the first case, and the reference: {caption}."' in page
    assert caption in page and "yours" in page and len(page) < 15_000
    (mine, reference) = re.findall(r'<path d="([^"]*)" fill="var\(--text\)"', page)
    assert mine.count("z") == reference.count("z") > 0  # as many squares are filled
    assert beside("f", -right, right) != page
    assert "nan" not in beside("f", right * float("nan"), right).partition("<svg")[2]
    assert beside("f", right * 0, right * 0)
    assert beside("f", torch.tensor(1.0), torch.tensor(1.0)) == ""
