from __future__ import annotations

import pytest
import torch
from torch import nn

from birnn_course import SequenceClassifier, SequenceTagger, count_parameters, pad_dependence
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


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("readout", ["final", "mean", "max"])
def test_a_classifier_reads_each_sequence_as_if_it_were_alone(
    cell: str, bidirectional: bool, readout: str
) -> None:
    torch.manual_seed(0)
    model = SequenceClassifier(3, 5, 4, bidirectional=bidirectional, cell=cell, readout=readout)
    x, lengths = torch.randn(3, 7, 3), torch.tensor([4, 7, 2])
    scores = model(x, lengths)
    assert scores.shape == (3, 5)
    for row, sequence, n in zip(scores, x, lengths.tolist(), strict=True):
        output, state = model.rnn(sequence[None, :n])
        last = state[0] if cell == "lstm" else state
        summary = {
            "final": torch.cat([*last], dim=1),
            "mean": output.mean(1),
            "max": output.amax(1),
        }[readout]
        assert torch.allclose(row, model.head(summary)[0], rtol=0, atol=1e-5)
    assert pad_dependence(model, x, lengths, pads=9).max() < 1e-5


def test_a_classifier_needs_lengths_and_a_known_readout() -> None:
    model = SequenceClassifier(3, 5, 4, bidirectional=True)
    with pytest.raises(TypeError, match="lengths"):
        model(torch.zeros(2, 7, 3))
    with pytest.raises(CourseError, match="final, mean or max"):
        SequenceClassifier(3, 5, 4, bidirectional=True, readout="last")
    with pytest.raises(CourseError, match="rnn, gru or lstm"):
        SequenceClassifier(3, 5, 4, bidirectional=True, cell="transformer")
