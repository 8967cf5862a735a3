from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from panels import change
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from birnn_course import SequenceTagger, spelling_explorer
from birnn_course.data.spelling import Spelling
from birnn_course.explore.panel import Panel, Word
from birnn_course.explore.spelling import LONGEST, letter_influence

TOY = Spelling(
    sounds={"ab": ("A", "B"), "bb": ("B", "_"), "ba": ("B", "A"), "aab": ("A", "_", "B")},
    others={"ab": (("A", "_"),)},
    train=("ab", "bb"),
    dev=("ba",),
    test=(),
)


class NextLetter(nn.Module):
    """Says A where the next letter is an a, B where it is a b, and else nothing; all for sure."""

    def __init__(self) -> None:
        super().__init__()
        self.sure = nn.Parameter(torch.tensor(20.0))

    def forward(self, ids: Tensor) -> Tensor:
        following = torch.cat([ids[:, 1:], torch.full_like(ids[:, :1], 25)], dim=1)
        tags = [TOY.tags.index(tag) for tag in "AB_"]
        which = torch.tensor(tags)[following.clamp(max=2)]
        return self.sure * nn.functional.one_hot(which, len(TOY.tags)).float()


def rows(panel: Panel) -> list[list[str]]:
    """The cells of each letter's row: sound, percent, second, percent, then one per letter."""
    return [
        re.findall(r"<td[^>]*>(.*?)</td>", row)
        for row in re.findall(r"<tr>(.*?)</tr>", panel.picture.partition("<tbody>")[2])
    ]


@pytest.mark.parametrize(
    ("word", "sounds", "sentence"),
    [
        ("ab", ["B", "_"], "The net says B: wrong. Listed for ab: A B or A _. It is a training"),
        ("bb", ["B", "_"], "The net says B: right. Listed for bb: B. It is a training word."),
        ("ba", ["A", "_"], "The net says A: wrong. Listed for ba: B A. It is a development word."),
        ("aab", ["A", "B", "_"], "says A B: right. Listed for aab: A B. It is in none of the"),
        ("zz", ["_", "_"], "The net says nothing. The dictionary does not list zz."),
        (" Bb ", ["B", "_"], "Listed for bb: B."),
    ],
)
def test_it_says_what_the_net_says_and_what_is_listed(
    word: str, sounds: list[str], sentence: str
) -> None:
    panel = spelling_explorer(NextLetter(), TOY, "ab")
    assert sentence in change(panel, word=word)
    assert [row[0] for row in rows(panel)] == sounds


def test_it_says_which_letter_was_looked_at() -> None:
    panel = spelling_explorer(NextLetter(), TOY, "ab")
    # a sounds as B only before a b; the second letter does not depend on anything
    assert rows(panel) == [
        ["B", "100", rows(panel)[0][2], "&lt; 1", "·", "100"],
        ["_", "100", rows(panel)[1][2], "&lt; 1", "·", "·"],
    ]


def test_influence_is_the_mean_over_all_other_letters() -> None:
    torch.manual_seed(0)
    model = SequenceTagger(26, 5, 6, bidirectional=True)
    ids = torch.tensor([7, 0, 7, 25])
    probability, fall = letter_influence(model, ids)
    one_by_one = torch.zeros(4, 4)
    before = model(ids[None])[0].softmax(-1).detach()
    for s in range(4):
        for other in set(range(26)) - {int(ids[s])}:
            changed = ids.clone()
            changed[s] = other
            after = model(changed[None])[0].softmax(-1).detach()
            for t in range(4):
                chosen = before[t].argmax()
                one_by_one[t, s] += float((before[t, chosen] - after[t, chosen]) / 25)
    assert torch.allclose(probability, before, atol=1e-6)
    assert torch.allclose(fall, one_by_one, atol=1e-6)


def test_a_net_that_reads_left_to_right_looks_at_nothing_to_the_right() -> None:
    torch.manual_seed(0)
    _, fall = letter_influence(SequenceTagger(26, 5, 8, bidirectional=False), torch.arange(6))
    assert torch.equal(fall.triu(1), torch.zeros(6, 6))
    assert fall.tril().abs().max() > 0


@pytest.mark.parametrize("bad", ["", "two words", "don't", "naïve", "a" * (LONGEST + 1), "7", None])
def test_what_is_no_word_is_a_sentence_and_the_picture_stays(bad: str | None) -> None:
    panel = spelling_explorer(NextLetter(), TOY, "ab")
    before = panel.picture
    assert change(panel, word=bad) == "Word: 1 to 24 letters from a to z and nothing else."
    assert panel.picture == before
    assert "The net says" in change(panel, word="a" * LONGEST)


def test_the_browser_is_told_what_to_draw() -> None:
    described = Word("word", "Word", 9).describe()
    assert described == {"kind": "word", "name": "word", "label": "Word", "longest": 9}
    script = str(Panel._esm)
    assert "{ choice, integer, word }[c.kind]" in script.replace("({", "{").replace("})", "}")
    assert 'type: "text"' in script


def test_without_a_kernel_it_is_readable() -> None:
    data, _ = spelling_explorer(NextLetter(), TOY, "ab")._repr_mimebundle_()
    assert data["text/plain"].startswith("[How does the net read this word? The net says B")
    assert '<th scope="row"' in data["text/html"] and '<th scope="col"' in data["text/html"]
    assert "<caption>" in data["text/html"] and "<script" not in data["text/html"]


# ── what it computes ────────────────────────────────────────────────────────────────────────────


class Inside(nn.Module):
    """A tagger as any other model: of its insides nothing is known."""

    def __init__(self, tagger: nn.Module) -> None:
        super().__init__()
        self.tagger = tagger

    def forward(self, ids: Tensor) -> Tensor:
        return self.tagger(ids)


def of_the_lesson() -> SequenceTagger:
    torch.manual_seed(0)
    return SequenceTagger(26, 96, 128, bidirectional=True)


def test_what_is_read_again_says_the_same_as_reading_all() -> None:
    tagger, g = of_the_lesson(), torch.Generator().manual_seed(0)
    for _ in range(20):
        length = int(torch.randint(1, LONGEST + 1, (), generator=g))
        ids = torch.randint(26, (length,), generator=g)
        for ours, plain in zip(
            letter_influence(tagger, ids), letter_influence(Inside(tagger), ids), strict=True
        ):
            assert torch.allclose(ours, plain, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"cell": "gru"}, {"num_layers": 2}, {"lookahead": 1}, {"bidirectional": False},
    ],
)  # fmt: skip
def test_other_taggers_are_read_as_any_model(options: dict[str, Any]) -> None:
    tagger = SequenceTagger(26, 5, 6, **{"bidirectional": True, **options})
    ids = torch.tensor([7, 0, 7, 25])
    for ours, plain in zip(
        letter_influence(tagger, ids), letter_influence(Inside(tagger), ids), strict=True
    ):
        assert torch.equal(ours, plain)


def multiplications(model: nn.Module, rnn: nn.LSTM, length: int) -> int:
    """In matrix products, for one word; PyTorch's LSTM does not say, so its inputs are counted."""
    in_rnn = 0

    def note(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        nonlocal in_rnn
        rows = inputs[0].shape[0] * inputs[0].shape[1]
        in_rnn += rows * sum(w.numel() for name, w in rnn.named_parameters() if "weight" in name)

    hook = rnn.register_forward_pre_hook(note)
    with FlopCounterMode(display=False) as counter:
        letter_influence(model, torch.full((length,), 23))
    hook.remove()
    return in_rnn + counter.get_total_flops() // 2


def test_a_word_costs_less_than_half_of_reading_all_replacements() -> None:
    tagger = of_the_lesson()
    assert isinstance(tagger.rnn, nn.LSTM)
    most = 1.25e9  # of 3.3e9 for the longest word
    assert multiplications(tagger, tagger.rnn, LONGEST) < most
    rows = LONGEST * 26 * LONGEST
    everything = rows * (2 * 4 * 128 * (64 + 128) + 256 * 96)
    assert multiplications(Inside(tagger), tagger.rnn, LONGEST) == everything > 2.6 * most
