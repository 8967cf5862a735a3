"""Classifiers that read the wrong numbers off a recurrent layer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from audit.pieces import ENDS, FULL, HIDDEN, Made, Reader, Shelf, frames, ids, last_states
from audit.right_recurrent import PackedTagger

READOUT = Shelf()


@READOUT.add("last-step-readout", "backward-half-reversed")
def last_step_of_both_directions() -> Made:
    """The popular demo that reads a picture row by row and classifies by the last output."""

    class Model(Reader):
        def forward(self, rows: Tensor) -> Tensor:
            return self.head(self.rnn(rows)[0][:, -1])

    return Model(nn.LSTM, symbols=0), frames(FULL), {}


@READOUT.add("view-joins-directions", "reshape-mends-layout", "batch-first-everywhere")
def final_states_by_view() -> Made:
    """A text classifier that turns the stacked final states into rows by a view."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, (h_n, _) = self.rnn(self.packed(inputs, lengths))
            return self.head(h_n.view(-1, 2 * HIDDEN))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@READOUT.add("padded-end-is-the-end")
def packed_then_last_step() -> Made:
    """Packs with care, unpacks, and takes the last column for each sequence's last state."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            return self.head(self.read(inputs, lengths)[0][:, -1])

    return Model(nn.GRU, bidirectional=False), ids(ENDS), {"lengths": ENDS}


@READOUT.add("gather-at-the-length", "last-step-readout", "backward-half-reversed")
def gather_at_the_length() -> Made:
    """Picks the output at each sequence's last real step, for both directions at once."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            return self.head(output[torch.arange(len(lengths)), lengths - 1])

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}


@READOUT.add("last-step-readout", "backward-half-reversed")
def last_step_time_first() -> Made:
    """The same read-out in time-first code: `output[-1]`, from ids."""

    class Model(Reader):
        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.rnn(self.embed(inputs))[0][-1])

    model = Model(nn.GRU, batch_first=False)
    return model, ids(FULL, batch_first=False), {"batch_first": False}


@READOUT.add("swapped-halves", "final-is-at-step-0", "last-step-readout", "backward-half-reversed")
def halves_read_at_the_wrong_ends() -> Made:
    """Takes the forward half at step 0 and the backward half at the last step."""

    class Model(Reader):
        def forward(self, rows: Tensor) -> Tensor:
            output, _ = self.rnn(rows)
            ends = output[:, 0, :HIDDEN], output[:, -1, HIDDEN:]
            return self.head(torch.cat(ends, dim=1))

    return Model(nn.RNN, symbols=0), frames(FULL), {}


@READOUT.add("last-state-readout")
def last_state_only() -> Made:
    """Left-to-right code after the flag was set: `h_n[-1]` and a head of one direction's size."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, (h_n, _) = self.rnn(self.packed(inputs, lengths))
            return self.head(h_n[-1])

    model = Model(nn.LSTM, head=HIDDEN, batch_first=False)
    return model, ids(ENDS, batch_first=False), {"lengths": ENDS}


@READOUT.add("first-states-are-forward")
def first_states_of_two_layers() -> Made:
    """The chatbot encoder's slice: the first `num_layers` states, said to be the forward ones."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, h_n = self.rnn(self.packed(inputs, lengths))
            return self.head(torch.cat([*h_n[: self.rnn.num_layers]], dim=1))

    return Model(nn.GRU, num_layers=2), ids(ENDS), {"lengths": ENDS}


@READOUT.add("h-n-forward-first")
def states_viewed_directions_first() -> Made:
    """Views `h_n` as (directions, layers, …) and takes each direction's last layer."""

    class Model(Reader):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            _, h_n = self.rnn(self.packed(x, lengths))
            forward, backward = h_n.view(2, self.rnn.num_layers, len(x), HIDDEN)[:, -1]
            return self.head(torch.cat([forward, backward], dim=1))

    return Model(nn.GRU, symbols=0, num_layers=2), frames(ENDS), {"lengths": ENDS}


@READOUT.add("state-tuple-is-h-n", "c-n-is-h-n")
def cell_state_for_hidden_state() -> Made:
    """`out, h = lstm(x)` and `h[-1]`, which is the cell state, both directions of it."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, h = self.rnn(self.packed(inputs, lengths))
            return self.head(last_states(h[-1]))

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@READOUT.add("gru-unpacks-like-lstm", "backward-is-left-out")
def gru_unpacked_like_an_lstm() -> Made:
    """An LSTM replaced by a GRU; the "hidden state" is the forward block of `h_n` alone."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            _, (h, _c) = self.rnn(self.packed(inputs, lengths))
            return self.head(h)

    return Model(nn.GRU, head=HIDDEN), ids(ENDS), {"lengths": ENDS}


@READOUT.add("off-by-one-end", "length-is-the-last-index", "padded-end-is-the-end")
def gather_one_step_too_late() -> Made:
    """Picks the output at index `length`, kept inside the batch by a clamp."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            output, _ = self.read(inputs, lengths)
            at = lengths.clamp(max=output.shape[1] - 1)
            return self.head(output[torch.arange(len(at)), at])

    return Model(nn.LSTM, bidirectional=False), ids(ENDS), {"lengths": ENDS}


@READOUT.add("comes-back-sorted")
def unsorted_a_second_time() -> Made:
    """Packs without the need to sort, and puts the states "back" into their order once more."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            packed = self.packed(inputs, lengths)
            _, (h_n, _) = self.rnn(packed)
            return self.head(last_states(h_n)[packed.unsorted_indices])

    return Model(nn.LSTM), ids(ENDS), {"lengths": ENDS}


@READOUT.add("unsort-only-outputs", "sort-by-hand")
def sorted_and_left_so() -> Made:
    """Sorts by length for packing, as old code had to, and never undoes it for the states."""

    class Model(Reader):
        def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
            ordered, order = lengths.sort(descending=True, stable=True)
            packed = pack_padded_sequence(x[order], ordered, batch_first=True)
            return self.head(last_states(self.rnn(packed)[1]))

    return Model(nn.GRU, symbols=0), frames(ENDS), {"lengths": ENDS}


@READOUT.add("unsort-only-outputs", "sort-by-hand")
def tagger_sorted_and_left_so() -> Made:
    """The same in a time-first tagger: the scores come back in another order than the tags."""

    class Model(PackedTagger):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            ordered, order = lengths.sort(descending=True, stable=True)
            return super().forward(inputs[:, order], ordered)

    model = Model(nn.LSTM, batch_first=False)
    return model, ids(ENDS, batch_first=False), {"lengths": ENDS, "batch_first": False}


@READOUT.add("packed-data-rebuilt")
def packed_sequence_rebuilt() -> Made:
    """Applies a layer to the packed data and rebuilds the packed sequence without its order."""

    class Model(Reader):
        def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
            packed = self.packed(inputs, lengths)
            data = F.layer_norm(packed.data, packed.data.shape[-1:])
            output, _ = self.rnn(PackedSequence(data, packed.batch_sizes))
            return self.head(pad_packed_sequence(output, batch_first=True)[0])

    return Model(nn.GRU), ids(ENDS), {"lengths": ENDS}
