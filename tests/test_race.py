"""What ``fit`` shows while it trains, what it leaves behind, and that it changes nothing."""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import Tensor, nn

from birnn_course import Race, SequenceTagger, fit
from birnn_course.data.batches import IGNORED
from birnn_course.draw import live
from birnn_course.draw import race as module
from birnn_course.draw.race import Lane, Point
from birnn_course.errors import CourseError

ROOT = Path(__file__).parent.parent
Batches = list[tuple[Tensor, Tensor]]


def copy_task(n: int = 8) -> Batches:
    generator = torch.Generator().manual_seed(0)
    return [(ids, ids) for ids in torch.randint(4, (n, 16, 5), generator=generator)]


def tagger() -> SequenceTagger:
    torch.manual_seed(0)
    return SequenceTagger(4, 4, 8, bidirectional=True, cell="gru", embedding_dim=8)


def compared(text: str) -> str:
    """What nbval compares of a stored text."""
    rules = configparser.RawConfigParser()
    rules.read(ROOT / "tests" / "notebooks" / "sanitize.cfg", encoding="utf-8")
    for section in rules.sections():
        text = re.sub(rules[section]["regex"], rules[section]["replace"], text)
    return text


def bundle(race: Race) -> dict[str, str]:
    return race._repr_mimebundle_()


def test_watching_changes_nothing_and_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    watched, unwatched = tagger(), tagger()
    race = Race()
    history = fit(watched, copy_task(), epochs=3, watch=race.lane("both ways"))
    assert history == fit(unwatched, copy_task(), epochs=3)
    for one, other in zip(watched.parameters(), unwatched.parameters(), strict=True):
        assert torch.equal(one, other)
    assert race.losses["both ways"] == pytest.approx(history[-1], rel=1e-4)
    assert capfd.readouterr() == ("", "")


class Says(nn.Module):
    """Always the same class, whatever it is taught."""

    def __init__(self, answer: int) -> None:
        super().__init__()
        self.answer = answer
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, inputs: Tensor) -> Tensor:
        scores = torch.zeros(*inputs.shape, 4)
        scores[..., self.answer] = 1
        return scores + 0 * self.unused


def test_the_score_counts_what_it_is_asked_for_and_no_pads() -> None:
    ids = torch.tensor([[0, 0, 0, 1], [2, 2, 1, 0]])
    tags = torch.tensor([[0, 0, 0, 1], [2, 2, 1, IGNORED]])
    race = Race()
    fit(Says(0), [(ids, tags)] * 3, epochs=2, watch=race.lane("all"))
    ones = Race(where=lambda x: x == 1)
    fit(Says(1), [(ids, tags)] * 3, epochs=2, watch=ones.lane("ones"))
    fit(Says(2), [(ids, tags)] * 3, epochs=2, watch=ones.lane("twos"))
    assert race.scores == {"all": pytest.approx(3 / 7)}
    assert ones.scores == {"ones": 1.0, "twos": 0.0}


def test_only_the_last_epoch_is_told() -> None:
    lane = Race().lane("a")
    lane.epochs = 2
    lane.points = [Point(e, 10 * (3 - e), 10, int(e), 4) for e in (0.5, 1.0, 1.5, 2.0)]
    assert (lane.loss, lane.score) == (1.25, 3 / 8)
    assert lane.outcome() == "2 epochs, loss ≈ 1.2, accuracy ≈ 37.5 %"
    lane.points.pop()
    assert lane.outcome().startswith("stopped in epoch 2 of 2, loss ≈ ")


def test_a_point_is_kept_now_and_then_and_at_the_end_of_each_epoch() -> None:
    for epochs, n in ((1, 3), (3, 7), (50, 2), (2, 100)):
        race = Race()
        fit(Says(0), copy_task(1) * n, epochs=epochs, watch=race.lane("a"))
        kept = [point.epoch for point in race._lanes["a"].points]
        assert kept == sorted(kept) and {*map(float, range(1, epochs + 1))} <= {*kept}
        assert len(kept) <= max(module.POINTS, epochs)


@pytest.fixture(scope="module")
def raced() -> Race:
    race = Race(limits={"left-to-right limit": 0.6})
    for name in ("left to right", "both ways"):
        fit(tagger(), copy_task(10), epochs=4, watch=race.lane(name))
    return race


def test_what_is_left_behind_is_compared_but_for_what_training_moves(raced: Race) -> None:
    other = Race(limits={"left-to-right limit": 0.6})
    for name in ("left to right", "both ways"):
        fit(tagger(), copy_task(10), epochs=4, lr=1e-3, watch=other.lane(name))
    for form in ("text/plain", "text/html"):
        first, second = bundle(raced)[form], bundle(other)[form]
        assert first != second and compared(first) == compared(second)
    plain = bundle(raced)["text/plain"]
    alt, line = plain.splitlines()
    assert not re.search(r"\d", alt) and "left-to-right limit as a dashed line" in alt
    assert re.sub(r"≈ [\d.e-]+", "", line) == (
        "left to right: 4 epochs, loss , accuracy  % · both ways: 4 epochs, loss , accuracy  %."
    )
    # Another claim, and another number of epochs, would be noticed.
    other._alt = "Both reach the top."
    assert compared(bundle(raced)["text/html"]) != compared(bundle(other)["text/html"])


def test_the_picture_is_small_and_names_everything(raced: Race) -> None:
    page = bundle(raced)["text/html"]
    assert len(page) <= 15_000
    for text in ("left to right", "both ways", "left-to-right limit", "60 %", "loss in nats"):
        assert f">{text}</text>" in page
    assert "stroke-dasharray" in page and "var(--forward)" not in page.split("</style>")[1]


def test_any_loss_is_a_picture() -> None:
    race = Race()
    lane = race.lane("a")
    lane.epochs = 1
    for loss in (float("nan"), float("inf"), 0.0, 1e-9, 3e7):
        lane.points = [Point(0.5, loss, 1, 0, 0), Point(1.0, loss, 1, 0, 0)]
        assert "accuracy ≈ nan %" in bundle(race)["text/plain"]
    assert bundle(Race())["text/plain"] == "[A race without a model.]"


def test_a_limit_that_is_no_share_is_a_sentence() -> None:
    with pytest.raises(CourseError, match="the limit: give the limit as a share from 0 to 1"):
        Race(limits={"the limit": 60})


# ── in a notebook ───────────────────────────────────────────────────────────────────────────────


class Place:
    """A place below a cell that remembers what it showed."""

    made: list[Place]

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.closed = False
        Place.made.append(self)

    def show(self, page: str) -> None:
        self.pages.append(page)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def endings(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], Any]]:
    """A notebook whose cell goes on; what is to be called when it ends."""
    Place.made = []
    kept: list[Callable[[], Any]] = []
    monkeypatch.setattr(module, "kernel", lambda: True)
    monkeypatch.setattr(module, "Live", Place)
    monkeypatch.setattr(module, "after_this_cell", kept.append)
    return kept


def test_without_a_lane_it_is_shown_and_nothing_stays(endings: list[Callable[[], Any]]) -> None:
    fit(tagger(), copy_task(), epochs=3)
    [place] = Place.made
    assert place.closed and endings == []
    assert "training: epoch 1 of 3, about " in place.pages[0]
    assert re.search(r"about \d+ s left</text>", place.pages[0])
    assert 'role="img" aria-label="Loss and accuracy while training' in place.pages[0]


def test_all_models_of_a_cell_race_in_one_place(endings: list[Callable[[], Any]]) -> None:
    race = Race()
    for name in ("left to right", "both ways"):
        fit(tagger(), copy_task(), epochs=2, watch=race.lane(name))
    [place], [leave] = Place.made, endings
    assert not place.closed
    second = [page for page in place.pages if "both ways: epoch " in page]
    assert second and all(">left to right</text>" in page for page in second)
    assert leave() is race and place.closed
    assert " s left" not in bundle(race)["text/html"]
    # In the next cell it goes on.
    fit(tagger(), copy_task(), epochs=2, watch=race.lane("one word late"))
    assert len(Place.made) == len(endings) == 2
    assert [*race.losses] == ["left to right", "both ways", "one word late"]


def test_a_training_that_fails_leaves_no_place_behind(endings: list[Callable[[], Any]]) -> None:
    def stop(inputs: Tensor) -> Tensor:
        raise KeyboardInterrupt

    race = Race(where=stop)
    with pytest.raises(KeyboardInterrupt):
        fit(tagger(), copy_task(), epochs=2, watch=race.lane("a"))
    [leave] = endings
    leave()
    assert Place.made[0].closed
    assert "a: stopped in epoch 1 of 2, loss ≈ nan" in bundle(race)["text/plain"]


def test_a_lane_of_the_same_name_starts_anew() -> None:
    race = Race()
    assert isinstance(race.lane("a"), Lane)
    fit(tagger(), copy_task(), epochs=1, watch=race.lane("a"))
    assert [*race.scores] == ["a"]


SOURCE = """import torch
from birnn_course import Race, SequenceTagger, fit
ids = torch.arange(12).view(3, 4) % 4
race = Race(limits={"a limit": 0.5})
for name in ("left to right", "both ways"):
    torch.manual_seed(0)
    model = SequenceTagger(4, 4, 8, bidirectional=True)
    fit(model, [(ids, ids)] * 4, epochs=2, watch=race.lane(name))
fit(model, [(ids, ids)], epochs=2)
print("trained")
"""


@pytest.mark.full
def test_in_a_real_notebook(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(SOURCE)])
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = notebook.cells[0].outputs
    live, other, printed, left = outputs
    nothing = {"text/plain": "", "text/html": ""}
    assert live.data == other.data == nothing and printed.text == "trained\n"
    assert left.data["text/plain"].splitlines()[0].startswith("[Loss and accuracy while training")
    assert left.data["text/html"].startswith('<figure class="birnn-draw">')
    assert "widgets" not in notebook.metadata


def test_pictures_keep_their_distance(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: clock[0])
    pace = live.Pace()
    assert pace.due()
    clock[0] += 0.1  # to draw a picture
    pace.drawn()
    for later, due in ((1.0, False), (2.8, False), (0.3, True)):
        clock[0] += later
        assert pace.due() is due
    pace.drawn()
    clock[0] += live.PAUSE * 0.9
    assert not pace.due()
    clock[0] = 130.0
    assert pace.left(0.25) == 90.0
