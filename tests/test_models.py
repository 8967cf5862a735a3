from __future__ import annotations

import pytest
import torch
from torch import nn

from birnn_course import SequenceTagger, count_parameters
from birnn_course.errors import CourseError


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("lookahead", [0, 2])
def test_one_score_per_tag_and_step(cell: str, bidirectional: bool, lookahead: int) -> None:
    tagger = SequenceTagger(
        7, 5, 6, cell=cell, bidirectional=bidirectional, lookahead=lookahead, embedding_dim=3
    )
    assert tagger(torch.randint(7, (4, 9))).shape == (4, 9, 5)


@pytest.mark.parametrize("lookahead", [0, 1, 3])
def test_lookahead_sees_exactly_that_far(lookahead: int) -> None:
    torch.manual_seed(0)
    tagger = SequenceTagger(7, 5, 6, bidirectional=False, lookahead=lookahead)
    ids = torch.randint(7, (1, 8))
    before = tagger(ids)
    for changed in range(8):
        other = ids.clone()
        other[0, changed] = (other[0, changed] + 1) % 7
        moved = (tagger(other) != before).any(-1)[0].nonzero().flatten().tolist()
        assert moved == list(range(max(0, changed - lookahead), 8))


def test_a_late_answer_is_the_output_at_the_later_step() -> None:
    torch.manual_seed(0)
    tagger = SequenceTagger(7, 5, 6, bidirectional=False, lookahead=2)
    ids = torch.randint(7, (2, 6))
    output, _ = tagger.rnn(tagger.embedding(ids))
    assert torch.allclose(tagger(ids)[:, :4], tagger.head(output[:, 2:]), rtol=0, atol=1e-6)


def test_parameters_are_counted_once_and_only_if_they_learn() -> None:
    layer = nn.Linear(3, 4)
    assert count_parameters(layer) == 16
    layer.bias.requires_grad_(False)
    assert count_parameters(layer) == 12


def test_wrong_arguments_are_sentences() -> None:
    with pytest.raises(CourseError, match="rnn, gru or lstm"):
        SequenceTagger(7, 5, 6, bidirectional=True, cell="transformer")
    with pytest.raises(CourseError, match="0 or more"):
        SequenceTagger(7, 5, 6, bidirectional=True, lookahead=-1)


def test_with_lengths_padding_changes_no_score() -> None:
    torch.manual_seed(0)
    tagger = SequenceTagger(7, 5, 6, bidirectional=True)
    ids = torch.randint(7, (1, 4))
    padded = torch.cat([ids, torch.zeros(1, 3, dtype=torch.long)], dim=1)
    packed = tagger(padded, torch.tensor([4]))
    assert packed.shape == (1, 7, 5)
    assert torch.allclose(packed[:, :4], tagger(ids), rtol=0, atol=1e-5)
    assert not torch.allclose(tagger(padded)[:, :4], tagger(ids), rtol=0, atol=1e-5)
    late = SequenceTagger(7, 5, 6, bidirectional=False, lookahead=1)
    with pytest.raises(CourseError, match="do not go together"):
        late(padded, torch.tensor([4]))
