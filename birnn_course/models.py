"""The models of the course. Direction is a switch; everything else stays the same."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from birnn_course.errors import CourseError

CELLS = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


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
        if cell not in CELLS:
            raise CourseError(f"cell must be rnn, gru or lstm, not {cell!r}.")
        if lookahead < 0:
            raise CourseError(f"lookahead must be 0 or more, not {lookahead}.")
        self.lookahead = lookahead
        self.embedding = nn.Embedding(n_symbols, embedding_dim)
        self.rnn = CELLS[cell](
            embedding_dim,
            hidden_size,
            num_layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if num_layers > 1 else 0.0,  # PyTorch warns where there is no between
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
            packed = pack_padded_sequence(embedded, lengths, batch_first=True, enforce_sorted=False)
            output, _ = pad_packed_sequence(
                self.rnn(packed)[0], batch_first=True, total_length=inputs.shape[1]
            )
        scores: Tensor = self.head(self.dropout(output))
        return scores


def count_parameters(module: nn.Module) -> int:
    """How many numbers ``module`` learns."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
