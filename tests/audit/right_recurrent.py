"""Right models with a recurrent layer inside, of which the audit must not complain."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from audit.pieces import (
    CLASSES,
    ENDS,
    FEATURES,
    FULL,
    HIDDEN,
    SQUARE,
    SYMBOLS,
    Made,
    Reader,
    Shelf,
    TwoReaders,
    frames,
    hits,
    ids,
    last_states,
    mask_of,
    tags,
    token_loss,
    turned_within,
)

RECURRENT = Shelf()


class PackedTagger(Reader):
    """A score for every tag at every step, of packed sequences."""

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        return self.head(self.read(inputs, lengths)[0])


class PlainTagger(Reader):
    """The same without packing, which is right for one direction."""

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.rnn(self.embed(inputs))[0])


@RECURRENT.add()
def left_to_right_tagger() -> Made:
    """One direction needs no lengths: pads come after all that is scored."""
    options = {"lengths": ENDS, "targets": tags(ENDS), "loss": token_loss}
    return PlainTagger(nn.GRU, bidirectional=False), ids(ENDS), options


@RECURRENT.add()
def packed_tagger() -> Made:
    """The bidirectional tagger as lesson 04 builds it."""
    options = {"lengths": ENDS, "targets": tags(ENDS), "loss": token_loss}
    return PackedTagger(nn.LSTM), ids(ENDS), options


@RECURRENT.add()
def packed_tagger_time_first() -> Made:
    """Two layers of GRU over time-first frames, all four flags left out alike."""
    model = PackedTagger(nn.GRU, symbols=0, num_layers=2, batch_first=False)
    return model, frames(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@RECURRENT.add()
def packed_final_states() -> Made:
    """A classifier that joins the last layer's two final states, of two packed layers."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(last_states(self.rnn(self.packed(inputs, lengths))[1][0]))

    return Model(nn.LSTM, num_layers=2, dropout=0.3), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def masked_mean() -> Made:
    """Packed, summed over real steps, divided by their number."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)  # zeros after each end
            return self.head(output.sum(1) / lengths[:, None])

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def masked_attention() -> Made:
    """Attention pooling with minus infinity on the pads before the softmax."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.LSTM)
            self.query = nn.Linear(2 * HIDDEN, 1)

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            pads = ~mask_of(lengths, inputs.shape[1])
            weights = self.query(output)[..., 0].masked_fill(pads, -torch.inf).softmax(1)
            return self.head((weights[..., None] * output).sum(1))

    return Model(), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def causal_language_model() -> Made:
    """Left to right, each step asked for the next id; the last step has none to be asked for."""
    batch = ids(ENDS)
    targets = batch.roll(-1, dims=1)
    targets[~mask_of(ENDS - 1, batch.shape[1])] = -100
    options = {"lengths": ENDS, "targets": targets, "loss": token_loss, "causal": True}
    return PlainTagger(nn.LSTM, bidirectional=False, classes=SYMBOLS), batch, options


@RECURRENT.add()
def packed_final_states_of_one_layer() -> Made:
    """A time-first GRU classifier with a learned start for each direction."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.GRU, batch_first=False)
            self.start = nn.Parameter(torch.randn(2, 1, HIDDEN))

        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            h_0 = self.start.expand(-1, len(lengths), -1).contiguous()
            return self.head(last_states(self.rnn(self.packed(inputs, lengths), h_0)[1]))

    return Model(), ids(ENDS, batch_first=False), {"lengths": ENDS}


@RECURRENT.add()
def masked_max() -> Made:
    """Minus infinity on the pads before the maximum, lengths by keyword only."""

    class Model(Reader):
        def forward(self, x: Tensor, *, lengths: Tensor) -> Tensor:
            pads = ~mask_of(lengths, x.shape[1])[..., None]
            return self.head(self.read(x, lengths)[0].masked_fill(pads, -torch.inf).amax(1))

    return Model(nn.LSTM, symbols=0), frames(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def gather_for_one_direction() -> Made:
    """The output at each last real step is the final state, if nothing is read backward."""

    class Model(Reader):
        def forward(self, inputs: Tensor, seq_lens: Tensor) -> Tensor:
            output, _ = self.rnn(self.embed(inputs))
            return self.head(output[torch.arange(len(inputs)), seq_lens - 1])

    return Model(nn.LSTM, bidirectional=False), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def last_step_of_full_sequences() -> Made:
    """One direction, no padding: the last column is the last step."""

    class Model(Reader):
        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.rnn(x)[0][:, -1])

    return Model(nn.GRU, symbols=0, bidirectional=False), frames(FULL), {}


@RECURRENT.add()
def both_ends_of_full_sequences() -> Made:
    """Without padding: the forward half at the last step, the backward half at step 0."""

    class Model(Reader):
        def forward(self, x: Tensor) -> Tensor:
            output, _ = self.rnn(x)
            return self.head(torch.cat([output[:, -1, :HIDDEN], output[:, 0, HIDDEN:]], dim=1))

    return Model(nn.LSTM, symbols=0), frames(FULL), {}


@RECURRENT.add()
def stateful_by_design() -> Made:
    """Carries its state from one piece of a long recording to the next, as its user says."""

    class Model(Reader):
        state: Tensor | None = None

        def forward(self, x: Tensor) -> Tensor:
            if self.state is not None and self.state.shape[1] != len(x):
                self.state = None
            output, state = self.rnn(x, self.state)
            self.state = state.detach()
            return self.head(output)

    return Model(nn.GRU, symbols=0, bidirectional=False), frames(FULL), {"stateful": True}


@RECURRENT.add()
def sorted_and_unsorted() -> Made:
    """Sorts by hand for packing, as old code had to, and puts the scores back into order."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            ordered, order = lengths.sort(descending=True)
            return super().forward(inputs[order], ordered)[order.argsort()]

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def as_many_steps_as_samples() -> Made:
    """A right tagger of a square batch."""
    return PackedTagger(nn.GRU), ids(SQUARE), {"lengths": SQUARE, "batch_first": True}


@RECURRENT.add()
def pad_id_that_is_not_zero() -> Made:
    """The pad is the last id; 0 is a word like any other, and occurs."""
    batch = ids(ENDS, pad=SYMBOLS)
    batch[:, 1] = 0
    model = PackedTagger(nn.LSTM, symbols=SYMBOLS + 1, pad=SYMBOLS)
    return model, batch, {"lengths": ENDS, "pad_value": SYMBOLS}


@RECURRENT.add()
def lengths_found_inside() -> Made:
    """Counts the ids that are no pads; its user tells no lengths."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor) -> Tensor:
            return super().forward(inputs, (inputs != 0).sum(1).cpu())

    return Model(nn.GRU), ids(ENDS, width=14), {}


@RECURRENT.add()
def tag_zero_is_the_pad_tag() -> Made:
    """Leaves out tag 0, which no real token has: the vocabulary keeps it for pads."""

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten(), ignore_index=0)

    options = {"lengths": ENDS, "targets": tags(ENDS, pad=0, first=1), "loss": loss}
    return PackedTagger(nn.LSTM), ids(ENDS), options


@RECURRENT.add()
def masked_loss_and_metric() -> Made:
    """Sums over real steps, divided by their number, in loss and accuracy; time first."""

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        real = targets != -100
        each = F.cross_entropy(scores.movedim(2, 1), targets, reduction="none")
        return (each * real).sum() / real.sum()

    def metric(scores: Tensor, targets: Tensor) -> float:
        real = targets != -100
        return hits(scores[real], targets[real])

    targets = tags(ENDS, batch_first=False)
    options = {"lengths": ENDS, "targets": targets, "loss": loss, "metric": metric}
    model = PackedTagger(nn.GRU, batch_first=False)
    return model, ids(ENDS, batch_first=False), {**options, "batch_first": False}


@RECURRENT.add()
def one_number_per_sequence() -> Made:
    """A yes-or-no classifier that returns one logit for each sequence, without a class axis."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, h_n = self.rnn(self.packed(inputs, lengths))
            return self.head(last_states(h_n)).squeeze(-1)

    targets = torch.tensor([1.0, 0, 0, 1, 1, 0])
    options = {"targets": targets, "loss": F.binary_cross_entropy_with_logits}
    return Model(nn.GRU, classes=1), ids(ENDS), {"lengths": ENDS, **options}


@RECURRENT.add()
def probabilities() -> Made:
    """Ends with a softmax over the tags."""

    class Model(PackedTagger):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(x, lengths).softmax(-1)

    return Model(nn.RNN, symbols=0), frames(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def log_probabilities() -> Made:
    """Ends with a log-softmax, and its loss takes that."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(inputs, lengths).log_softmax(-1)

    def loss(scores: Tensor, targets: Tensor) -> Tensor:
        return F.nll_loss(scores.transpose(1, 2), targets)

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS, "targets": tags(ENDS), "loss": loss}


@RECURRENT.add()
def scores_and_more() -> Made:
    """Returns its scores together with the states; the scores are a turned view."""

    class Model(Reader):
        def __init__(self) -> None:
            super().__init__(nn.LSTM)
            self.score = nn.Conv1d(2 * HIDDEN, CLASSES, kernel_size=1)

        def forward(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
            output, (h_n, _) = self.read(inputs, lengths)
            return self.score(output.transpose(1, 2)).transpose(1, 2), h_n

    return Model(), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def function_without_a_module() -> Made:
    """A function around two modules, with dropout that is off."""
    embed, rnn = nn.Embedding(SYMBOLS, FEATURES), nn.GRU(FEATURES, CLASSES, bidirectional=True)

    def model(batch: Tensor, lengths: Tensor) -> Tensor:
        x = F.dropout(embed(batch), 0.5, training=False)
        packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
        ahead, back = pad_packed_sequence(rnn(packed)[0])[0].chunk(2, dim=-1)
        return ahead + back

    return model, ids(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@RECURRENT.add()
def batch_norm_with_running_statistics() -> Made:
    """BatchNorm in eval mode, with the statistics of training: no sample reaches another."""

    class Model(PackedTagger):
        def __init__(self) -> None:
            super().__init__(nn.LSTM, symbols=0)
            self.norm = nn.BatchNorm1d(FEATURES)

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            return super().forward(self.norm(x.transpose(1, 2)).transpose(1, 2), lengths)

    model = Model()
    model(frames(FULL), FULL)  # one step of training
    return model.eval(), frames(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def tiny_with_dead_units() -> Made:
    """Two units a direction, ReLU, very short sequences: many outputs are exactly zero."""
    lengths = torch.tensor([3, 1, 2, 3, 1])
    model = PackedTagger(nn.RNN, hidden=2, nonlinearity="relu", classes=2)
    return model, ids(lengths), {"lengths": lengths}


@RECURRENT.add()
def double_precision() -> Made:
    """Weights and frames in float64."""
    return PackedTagger(nn.GRU, symbols=0).double(), frames(ENDS).double(), {"lengths": ENDS}


@RECURRENT.add()
def one_by_one() -> Made:
    """No batch inside: every sequence is cut to its length and read alone."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            rows = zip(inputs, lengths.tolist(), strict=True)
            read = [self.head(self.rnn(self.embed(row[:end]))[0]) for row, end in rows]
            return pad_sequence(read, batch_first=True)

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def turned_within_lengths() -> Made:
    """Bidirectional by hand, each sequence turned within its own length and back."""

    class Model(TwoReaders):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            x = self.embed(inputs)
            back = self.back(turned_within(x, lengths))[0]
            return self.join(self.ahead(x)[0], turned_within(back, lengths))

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}


@RECURRENT.add()
def two_cells_by_hand() -> Made:
    """Two cells in two loops; at a pad the state stays what it was, which is zero at first."""

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.ahead, self.back = nn.GRUCell(FEATURES, 8), nn.GRUCell(FEATURES, 8)
            self.head = nn.Linear(16, CLASSES)

        def walk(self, cell: nn.GRUCell, x: Tensor, real: Tensor, steps: range) -> list[Tensor]:
            state, states = x.new_zeros(len(x), 8), {}
            for t in steps:
                state = torch.where(real[:, t, None], cell(x[:, t], state), state)
                states[t] = state
            return [states[t] for t in sorted(states)]

        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            steps, real = range(x.shape[1]), mask_of(lengths, x.shape[1])
            ahead = self.walk(self.ahead, x, real, steps)
            back = self.walk(self.back, x, real, steps[::-1])
            both = [torch.stack(states, dim=1) for states in (ahead, back)]
            return self.head(torch.cat(both, dim=-1))

    return Model(), frames(ENDS), {"lengths": ENDS}
