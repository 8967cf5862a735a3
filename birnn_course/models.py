"""The models of the course. Direction is a switch; everything else stays the same."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.errors import CourseError

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
READOUTS = ("final", "mean", "max")


class SequenceTagger(nn.Module):
    """One tag for every element of a sequence: embedding, recurrent layer, linear layer.

    Parameters
    ----------
    n_symbols : int
        Size of the input vocabulary.
    n_tags : int
        Number of tags.
    hidden_size : int
        Units per direction.
    bidirectional : bool
        Read from both ends, or from left to right only.
    cell : {"rnn", "gru", "lstm"}
        The recurrent cell.
    embedding_dim : int
        Size of a symbol's vector.
    lookahead : int
        Answer this many steps late: the tag of element ``t`` is read off after element
        ``t + lookahead``. Zero vectors stand for what comes after the end.
    num_layers : int
        Recurrent layers; each reads all that the one below it says, in its own directions.
    dropout : float
        Share of the numbers that are set to 0 while training: between the layers, and before the
        linear layer.
    """

    def __init__(
        self,
        n_symbols: int,
        n_tags: int,
        hidden_size: int,
        *,
        bidirectional: bool,
        cell: str = "lstm",
        embedding_dim: int = 64,
        lookahead: int = 0,
        num_layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if lookahead < 0:
            raise CourseError(f"lookahead must be 0 or more, not {lookahead}.")
        self.lookahead = lookahead
        self.embedding = nn.Embedding(n_symbols, embedding_dim)
        self.rnn = _recurrent(
            cell, embedding_dim, hidden_size, bidirectional, num_layers=num_layers, dropout=dropout
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size * (2 if bidirectional else 1), n_tags)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Scores of every tag, ``(batch, seq_len, n_tags)``, for ids ``(batch, seq_len)``.

        With ``lengths`` ``(batch,)``, on the CPU, padding after a sequence's end changes none of
        its scores: the sequences are packed.
        """
        embedded = self.embedding(inputs)
        if lengths is None:
            output, _ = self.rnn(F.pad(embedded, (0, 0, 0, self.lookahead)))
            output = output[:, self.lookahead :]
        elif self.lookahead:
            raise CourseError("lookahead and lengths do not go together; use one of them.")
        else:
            output, _ = _read_packed(self.rnn, embedded, lengths)
        scores: Tensor = self.head(self.dropout(output))
        return scores


class SequenceClassifier(nn.Module):
    """One class for a whole sequence of vectors: recurrent layer, read-out, linear layer.

    Parameters
    ----------
    n_features : int
        Size of the vector at each step.
    n_classes : int
        Number of classes.
    hidden_size : int
        Units per direction.
    bidirectional : bool
        Read from both ends, or from left to right only.
    cell : {"rnn", "gru", "lstm"}
        The recurrent cell.
    readout : {"final", "mean", "max"}
        What of the recurrent layer goes into the linear one: the state of each direction after its
        last step, or the mean or the maximum of the outputs over the steps of the sequence.
    """

    def __init__(
        self,
        n_features: int,
        n_classes: int,
        hidden_size: int,
        *,
        bidirectional: bool,
        cell: str = "gru",
        readout: str = "final",
    ) -> None:
        super().__init__()
        if readout not in READOUTS:
            raise CourseError(f"readout must be final, mean or max, not {readout!r}.")
        self.readout = readout
        self.rnn = _recurrent(cell, n_features, hidden_size, bidirectional)
        self.head = nn.Linear(hidden_size * (2 if bidirectional else 1), n_classes)

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Scores of every class, ``(batch, n_classes)``, for ``(batch, seq_len, n_features)``.

        ``lengths`` ``(batch,)``, on the CPU, are needed: the sequences are packed, so that what
        stands after a sequence's end, and how much of it, changes nothing.
        """
        output, h_n = _read_packed(self.rnn, inputs, lengths)
        real = sequence_mask(lengths, inputs.shape[1]).unsqueeze(2).to(output.device)
        if self.readout == "final":
            summary = torch.cat([*h_n], dim=1)
        elif self.readout == "mean":
            summary = (output * real).sum(1) / real.sum(1)
        else:
            summary = output.masked_fill(~real, -torch.inf).amax(1)
        scores: Tensor = self.head(summary)
        return scores


def _recurrent(
    cell: str,
    input_size: int,
    hidden_size: int,
    bidirectional: bool,
    num_layers: int = 1,
    dropout: float = 0.0,
) -> nn.RNNBase:
    if cell not in CELLS:
        raise CourseError(f"cell must be rnn, gru or lstm, not {cell!r}.")
    kind: type[nn.RNNBase] = CELLS[cell]
    return kind(
        input_size,  # type: ignore[arg-type]
        hidden_size,
        num_layers,
        batch_first=True,
        bidirectional=bidirectional,
        dropout=dropout if num_layers > 1 else 0.0,  # PyTorch warns where there is no between
    )


def _read_packed(rnn: nn.RNNBase, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Outputs ``(batch, seq_len, features)``, 0 after the end, and final states ``h_n``."""
    packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
    output, state = rnn(packed)
    padded, _ = pad_packed_sequence(output, batch_first=True, total_length=inputs.shape[1])
    return padded, state[0] if isinstance(state, tuple) else state


def sequence_mask(lengths: Tensor | Sequence[int], seq_len: int) -> Tensor:
    """True at the steps before each sequence's end, False at its padding: ``(batch, seq_len)``.

    Parameters
    ----------
    lengths : Tensor or sequence of int
        ``(batch,)``, on the CPU.
    seq_len : int
        Columns of the padded batch.
    """
    return torch.arange(seq_len) < torch.as_tensor(lengths)[:, None]


def count_parameters(module: nn.Module) -> int:
    """How many numbers ``module`` learns."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
