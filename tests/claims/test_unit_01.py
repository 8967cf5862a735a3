"""What lessons claim beyond what they run: trained models for five seeds, not just for one."""

from __future__ import annotations

import ast

import nbformat
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from birnn_course import SequenceTagger, batches_of_one_length, count_parameters, evaluate, fit
from birnn_course.course import notebooks_folder
from birnn_course.data import Spelling, names_task
from birnn_course.data.batches import Batch
from birnn_course.exercises.unit_01 import FAIR_HIDDEN_SIZE
from claims import EVERY_SEED


def test_start_here_a_gru_unpacks_like_an_lstm_only_with_two_directions() -> None:
    x = torch.randn(3, 5, 4)
    _, (h, c) = nn.GRU(4, 6, batch_first=True, bidirectional=True)(x)
    assert h.shape == c.shape == (3, 6)
    with pytest.raises(ValueError, match="not enough values to unpack"):
        _, (h, c) = nn.GRU(4, 6, batch_first=True)(x)


def seeded(seed: int, *sizes: int, **options: object) -> SequenceTagger:
    torch.manual_seed(seed)
    return SequenceTagger(*sizes, **options)  # type: ignore[arg-type]


def test_always_person_has_the_score_of_the_left_to_right_limit() -> None:
    names = names_task()
    heap = [(tags[1], p) for words, tags, p in names.sequences if words[1] in names.ambiguous]
    person = sum(p for tag, p in heap if tag == "PERSON") / sum(p for _, p in heap)
    assert person == names.limit("left")


def test_from_zeros_in_every_chunk_only_the_missing_future_is_wrong() -> None:
    x, size = torch.randn(2, 8, 3), 4
    rnn = nn.GRU(3, size, batch_first=True, bidirectional=True)
    first, state = rnn(x[:, :4])
    state = torch.stack([state[0], torch.zeros_like(state[1])])
    output = torch.cat([first, rnn(x[:, 4:], state)[0]], dim=1)
    wrong = (output - rnn(x)[0]).abs() > 1e-5
    assert not wrong[:, 4:].any()
    assert not wrong[..., :size].any()
    assert wrong[:, :4, size:].any(-1).all()


@pytest.mark.parametrize("cell", ["RNN", "GRU", "LSTM"])
def test_the_guess_of_exercise_4_half_the_size_is_less_than_the_budget(cell: str) -> None:
    """The budget allows more than half the size, unless the inputs are much wider."""
    sizes = [FAIR_HIDDEN_SIZE.reference(cell, features, 64, 1) for features in (1, 32, 900, 2_000)]
    assert min(sizes[:3]) > 32
    assert sizes[3] == 32


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_names(seed: int) -> None:
    names = names_task()
    words, tags = names.sample(6_000, seed=10 + seed)
    train = list(zip(words.split(50), tags.split(50), strict=True))
    test = [names.sample(8_000, seed=20 + seed)]
    n = int(names.is_ambiguous(test[0][0]).sum())
    accuracy = {}
    for bidirectional in (False, True):
        tagger = seeded(
            seed, len(names.words), len(names.tags), 32, cell="gru", bidirectional=bidirectional
        )
        fit(tagger, train, epochs=4, seed=seed)
        accuracy[bidirectional] = evaluate(tagger, test, names.is_ambiguous)
    limit = float(names.limit("left"))
    print(
        f"names, seed {seed}: left to right {accuracy[False]:.4f}, both ways {accuracy[True]:.4f}"
    )
    assert abs(accuracy[False] - limit) < 3 * (limit * (1 - limit) / n) ** 0.5
    assert accuracy[True] >= 0.995


def test_the_tagger_of_the_lesson_is_the_one_that_stands_for_it() -> None:
    """What the lesson writes out, ``SequenceTagger`` does from here on: the same scores."""
    lesson = nbformat.read(notebooks_folder() / "01_bidirectional.ipynb", as_version=4)
    (source,) = (cell.source for cell in lesson.cells if "class Tagger" in cell.source)
    tree = ast.parse(source)
    (written,) = (node for node in tree.body if isinstance(node, ast.ClassDef))
    (loop,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "train")
    lines = [node.end_lineno - node.lineno + 1 for node in (written, loop) if node.end_lineno]
    assert sum(lines) <= 40
    room = {"nn": nn, "torch": torch}
    exec(ast.unparse(written), room)
    ids = torch.randint(9, (3, 7))
    for bidirectional in (False, True):
        torch.manual_seed(0)
        plain = room["Tagger"](9, 4, bidirectional)
        ours = seeded(0, 9, 4, 32, cell="gru", bidirectional=bidirectional)
        assert torch.allclose(plain(ids), ours(ids), rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def words(spelling: Spelling) -> tuple[list[Batch], list[Batch]]:
    return (
        batches_of_one_length(spelling.encode(spelling.train), 32),
        batches_of_one_length(spelling.encode(spelling.test), 512),
    )


def p_before_h(ids: Tensor) -> Tensor:
    return (ids == ord("p") - ord("a")) & (
        F.pad(ids[:, 1:], (0, 1), value=-1) == ord("h") - ord("a")
    )


@pytest.mark.full
@pytest.mark.parametrize("seed", EVERY_SEED)
def test_speller(seed: int, spelling: Spelling, words: tuple[list[Batch], list[Batch]]) -> None:
    train, test = words
    left = seeded(seed, 26, len(spelling.tags), 196, bidirectional=False)
    both = seeded(seed, 26, len(spelling.tags), 128, bidirectional=True)
    assert 1 <= count_parameters(left) / count_parameters(both) < 1.01
    for model in (left, both):
        fit(model, train, epochs=5, seed=seed)
    n_words = sum(len(tags) for _, tags in test)
    print(f"speller, seed {seed}, {n_words} test words: ", end="")
    result = {
        name: (evaluate(model, test), evaluate(model, test, p_before_h))
        for name, model in (("left", left), ("both", both))
    }
    print({name: [f"{100 * x:.2f}" for x in pair] for name, pair in result.items()})
    assert n_words > 11_990
    assert result["both"][0] >= 0.88
    assert result["both"][0] - result["left"][0] >= 0.12
    assert result["left"][1] < 0.3
    assert result["both"][1] > 0.9
