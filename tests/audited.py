"""Small models for the tests of ``audit``: right ones, and ones with a planted bug each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

V, D, H, C = 11, 6, 8, 3


class Net(nn.Module):
    """Embedding, RNN and head; ``body`` says what happens between input and scores."""

    def __init__(
        self,
        body: Callable[..., Tensor],
        *,
        bi: bool = True,
        cell: type[nn.RNNBase] = nn.GRU,
        layers: int = 1,
        batch_first: bool = True,
        width: int | None = None,
        embed: bool = True,
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = body
        self.emb = nn.Embedding(V, D, padding_idx=0) if embed else nn.Identity()
        self.rnn = cell(D, H, num_layers=layers, batch_first=batch_first, bidirectional=bi)
        self.head = nn.Linear(width or (2 * H if bi else H), C)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.head(self.body(self, self.emb(x), lengths))


class NoLengths(Net):
    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return self.head(self.body(self, self.emb(x), None))


def packed(net: Any, x: Tensor, n: Tensor, batch_first: bool = True) -> tuple[Tensor, Any]:
    time = 1 if batch_first else 0
    p = pack_padded_sequence(x, n, batch_first=batch_first, enforce_sorted=False)
    out, state = net.rnn(p)
    out, _ = pad_packed_sequence(out, batch_first=batch_first, total_length=x.shape[time])
    return out, state


def h_of(state: Any) -> Tensor:
    return state[0] if isinstance(state, tuple) else state


def mask_of(x: Tensor, n: Tensor) -> Tensor:
    return (torch.arange(x.shape[1]) < n[:, None]).to(x.device)[..., None]


def tag_packed(net, x, n):
    return packed(net, x, n)[0]


def tag_plain(net, x, n):
    return net.rnn(x)[0]


def ends(net, x, n):
    h = h_of(packed(net, x, n)[1])
    return torch.cat([h[-2], h[-1]], 1)


def ends_time_first(net, x, n):
    h = h_of(packed(net, x, n, batch_first=False)[1])
    return torch.cat([h[-2], h[-1]], 1)


def last_uni(net, x, n):
    return h_of(packed(net, x, n)[1])[-1]


def masked_mean(net, x, n):
    m = mask_of(x, n)
    return (packed(net, x, n)[0] * m).sum(1) / m.sum(1)


def masked_max(net, x, n):
    return packed(net, x, n)[0].masked_fill(~mask_of(x, n), -torch.inf).amax(1)


def attention(net, x, n):
    out = packed(net, x, n)[0]
    score = out.sum(-1, keepdim=True).masked_fill(~mask_of(x, n), -torch.inf)
    return (score.softmax(1) * out).sum(1)


def gathered(net, x, n):
    return net.rnn(x)[0][torch.arange(len(x)), n - 1]


def own_sort(net, x, n):
    n, order = n.sort(descending=True)
    out, _ = net.rnn(pack_padded_sequence(x[order], n, batch_first=True))
    out, _ = pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])
    return out[order.argsort()]


class Conv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.emb = nn.Embedding(V, D)
        self.conv = nn.Conv1d(D, C, 3, padding=1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return self.conv((self.emb(x) * mask_of(x, lengths)).mT).mT


class Transformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.emb = nn.Embedding(V, 8, padding_idx=0)
        layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.enc = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(8, C)

    def forward(self, ids: Tensor) -> Tensor:
        return self.head(self.enc(self.emb(ids), src_key_padding_mask=ids == 0))


class Stateful(nn.Module):
    def __init__(self, bi: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(D, H, batch_first=True, bidirectional=bi)
        self.head = nn.Linear(2 * H if bi else H, C)
        self.h: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        out, h = self.rnn(x, self.h)
        self.h = h.detach()
        return self.head(out)


class ByHand(nn.Module):
    """Two readers; ``back`` is what the second one does."""

    def __init__(self, back: Callable[..., Tensor], per_step: bool = True) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.emb = nn.Embedding(V, D, padding_idx=0)
        self.fwd = nn.GRU(D, H, batch_first=True)
        self.bwd = nn.GRU(D, H, batch_first=True)
        self.head = nn.Linear(2 * H, C)
        self.back = back

    def forward(self, x: Tensor) -> Tensor:
        e = self.emb(x)
        return self.head(torch.cat([self.fwd(e)[0], self.back(self.bwd, e)], -1))


@dataclass
class Case:
    model: Callable[..., Any]
    expected: str = ""
    kind: str = "ids"  # ids, floats, full (ids without padding)
    time_first: bool = False
    options: dict[str, Any] | None = None


def batch(kind: str = "ids", n: int = 6, steps: int = 14) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    lengths = torch.tensor([9, 14, 3, 11, 5, 7, 12, 4])[:n].clamp(max=steps)
    lengths[1] = steps
    if kind == "full":
        lengths[:] = steps
    real = torch.arange(steps) < lengths[:, None]
    if kind == "floats":
        return torch.randn(n, steps, D, generator=g) * real[..., None], lengths
    return torch.randint(1, V, (n, steps), generator=g) * real, lengths


def right() -> dict[str, Case]:
    net = Net(tag_packed)
    return {
        "packed tagger": Case(Net(tag_packed)),
        "two-layer LSTM tagger": Case(Net(tag_packed, cell=nn.LSTM, layers=2)),
        "one-way tagger without lengths": Case(NoLengths(tag_plain, bi=False)),
        "both tagger, nothing padded": Case(NoLengths(tag_plain), kind="full"),
        "one-way tagger that ignores lengths": Case(Net(tag_plain, bi=False)),
        "causal": Case(Net(tag_plain, bi=False, cell=nn.LSTM), options={"causal": True}),
        "both ends": Case(Net(ends, cell=nn.LSTM)),
        "both ends, two layers": Case(Net(ends, layers=2)),
        "both ends, time first": Case(Net(ends_time_first, batch_first=False), time_first=True),
        "last, one way": Case(Net(last_uni, bi=False)),
        "gathered, one way": Case(Net(gathered, bi=False)),
        "masked mean": Case(Net(masked_mean)),
        "masked maximum": Case(Net(masked_max)),
        "attention": Case(Net(attention)),
        "own sort": Case(Net(own_sort)),
        "convolution": Case(Conv()),
        "transformer": Case(Transformer()),
        "stateful": Case(Stateful(), kind="floats", options={"stateful": True}),
        "by hand": Case(ByHand(lambda r, e: r(e.flip(1))[0].flip(1)), kind="full"),
        "nn.LSTM itself": Case(
            nn.LSTM(D, H, batch_first=True, bidirectional=True), kind="float full"
        ),
        "labels": Case(lambda x, n: net(x, n).argmax(-1)),
        "scores turned for the loss": Case(lambda x, n: net(x, n).mT),
        "in float64": Case(Net(tag_packed).double()),
    }


def bug(
    body: Callable[..., Tensor], expected: str, case: dict[str, Any] | None = None, **net: Any
) -> Case:
    kind = NoLengths if body in NO_LENGTHS else Net
    return Case(kind(body, **net), expected, **(case or {}))


def view_rows(net, x, n):
    return h_of(packed(net, x, n)[1]).reshape(len(x), -1)


def last_step(net, x, n):
    return net.rnn(x)[0][:, -1]


def first_step(net, x, n):
    return net.rnn(x)[0][:, 0]


def gather_both(net, x, n):
    return packed(net, x, n)[0][torch.arange(len(x)), n - 1]


def last_state(net, x, n):
    return h_of(packed(net, x, n)[1])[-1]


def padded_end(net, x, n):
    return packed(net, x, n)[0][:, -1]


def mean_pads(net, x, n):
    return packed(net, x, n)[0].mean(1)


def max_pads(net, x, n):
    return packed(net, x, n)[0].amax(1)


def mean_all(net, x, n):
    return net.rnn(x)[0].mean(1)


def h_unpacked(net, x, n):
    h = h_of(net.rnn(x)[1])
    return torch.cat([h[-2], h[-1]], 1)


def sorted_only(net, x, n):
    n, order = n.sort(descending=True)
    out, _ = net.rnn(pack_padded_sequence(x[order], n, batch_first=True))
    return pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])[0]


def unsorted_twice(net, x, n):
    p = pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False)
    h = net.rnn(p)[1]
    return torch.cat([h[0], h[1]], 1)[p.unsorted_indices]


def too_short(net, x, n):
    return packed(net, x, n - 1)[0]


def cell_state(net, x, n):
    return packed(net, x, n)[1][1][-1]


def unpacked_gru(net, x, n):
    _, (h, _c) = packed(net, x, n)
    return h


def low_layer(net, x, n):
    h = packed(net, x, n)[1][:2]
    return torch.cat([h[0], h[1]], 1)


def softmax_batch(net, x, n):
    return ends(net, x, n).softmax(0)


def random_start(net, x, n):
    return net.rnn(x, torch.randn(2, len(x), H))[0]


def dropout_always(net, x, n):
    return F.dropout(tag_packed(net, x, n), 0.3)


def scrambled(net, x, n):
    b, t, d = x.shape
    return net.rnn(x.reshape(t, b, d))[0].reshape(b, t, -1)


def forgot_to_turn_back(net, x, n):
    return net.rnn(x.transpose(0, 1))[0]


def flipped_half(net, x, n):
    a, b = net.rnn(x)[0].chunk(2, -1)
    return torch.cat([a, b.flip(1)], -1)


def forward_half(net, x, n):
    return net.rnn(x)[0][..., :H]


def off_by_one(net, x, n):
    x = F.pad(x, (0, 0, 0, 1))
    return net.rnn(x)[0][torch.arange(len(x)), n]


def packed_without_flag(net, x, n):
    out, _ = net.rnn(pack_padded_sequence(x, n, enforce_sorted=False))
    return pad_packed_sequence(out, total_length=x.shape[1])[0]


def unpacked_without_flag(net, x, n):
    out, _ = net.rnn(pack_padded_sequence(x, n, batch_first=True, enforce_sorted=False))
    return pad_packed_sequence(out, total_length=x.shape[1])[0]


def block_of_h(net, x, n):
    return net.rnn(x)[1][:, -1]


def half_a_batch(net, x, n):
    a, b = net.rnn(x)[0].chunk(2)
    return a[:, -1] + b[:, 0]


def one_start(net, x, n):
    return net.rnn(x, torch.zeros(2, 6, H))[0]


def own_start(net, x, n):
    start = x.mean(1)[:, :1].expand(-1, 2 * H).reshape(len(x), 2, H)
    return net.rnn(x, start)[0]


class SeqToSeq(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.emb = nn.Embedding(V, D)
        self.enc = nn.GRU(D, H, layers, batch_first=True, bidirectional=True)
        self.dec = nn.GRU(D, H, 2, batch_first=True)
        self.head = nn.Linear(H, C)

    def forward(self, x: Tensor) -> Tensor:
        e = self.emb(x)
        return self.head(self.dec(e, self.enc(e)[1][:2].contiguous())[0])


def left(x: Tensor, n: Tensor) -> Tensor:
    """The batch with its padding on the left."""
    return torch.stack([row.roll(x.shape[1] - int(k)) for row, k in zip(x, n, strict=True)])


NO_LENGTHS = {block_of_h, half_a_batch, one_start, own_start,
              tag_plain, last_step, first_step, h_unpacked, mean_all, scrambled,
              forgot_to_turn_back,
              flipped_half, forward_half, random_start}  # fmt: skip
FULL = {"kind": "full"}
SQUARE = {"kind": "square"}
PAIR = {"kind": "pair"}


class Squeezed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = Net(ends)

    def forward(self, x: Tensor, n: Tensor) -> Tensor:
        return self.net(x, n)[:, :1].squeeze()


class Rows(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.rnn = nn.GRU(14, H)

    def forward(self, x: Tensor) -> Tensor:
        return self.rnn(x)[0]


class ZerosCounted(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = Net(tag_packed)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x, (x != 0).sum(1).clamp(min=1))


def faulty() -> dict[str, Case]:
    tf = {"batch_first": False}
    state = Stateful()
    return {
        "forgotten batch_first, tagger": bug(tag_plain, "missing-batch-first-raises", FULL, **tf),
        "forgotten batch_first, one way": bug(
            tag_plain, "missing-batch-first-raises", FULL, bi=False, **tf),
        "forgotten batch_first, classifier": bug(
            last_step, "missing-batch-first-raises", FULL, **tf),
        "mended twice": bug(
            lambda net, x, n: net.rnn(x.transpose(0, 1))[0].transpose(0, 1), "mended-twice", FULL),
        "time first, last sample": bug(
            last_step, "last-step-is-last-sample", {"kind": "full", "time_first": True}, **tf),
        "scrambled": bug(scrambled, "view-swaps-axes", FULL, **tf),
        "not turned back": bug(forgot_to_turn_back, "transposed-only-once", FULL, **tf),
        "view of h_n": bug(view_rows, "view-joins-directions"),
        "view of h_n, two layers": bug(view_rows, "view-joins-directions", layers=2, width=4 * H),
        "softmax over the batch": bug(softmax_batch, "softmax-over-the-batch"),
        "last step": bug(last_step, "last-step-readout", FULL),
        "last step, two layers": bug(last_step, "last-step-readout", FULL, layers=2, cell=nn.LSTM),
        "first step": bug(first_step, "final-is-at-step-0", FULL),
        "gathered, both": bug(gather_both, "gather-at-the-length"),
        "h_n[-1]": bug(last_state, "last-state-readout", width=H),
        "low layer": bug(low_layer, "first-states-are-forward", layers=2),
        "cell state": bug(cell_state, "state-tuple-is-h-n", cell=nn.LSTM, bi=False),
        "GRU unpacked as LSTM": bug(unpacked_gru, "gru-unpacks-like-lstm", width=H),
        "padded end": bug(padded_end, "padded-end-is-the-end", bi=False),
        "mean over pads": bug(mean_pads, "mean-over-pads"),
        "mean over pads, unpacked": bug(mean_all, "mean-over-pads"),
        "maximum over pads": bug(max_pads, "max-over-pads"),
        "h_n unpacked": bug(h_unpacked, "h-n-stops-at-the-end"),
        "last column, one way": bug(last_step, "ends-at-the-padding", bi=False),
        "off by one": bug(off_by_one, "off-by-one-end", bi=False),
        "tagger without packing": bug(tag_plain, "packing-only-for-h-n"),
        "lengths ignored": Case(Net(tag_plain), "packing-only-for-h-n"),
        "sorted by hand": bug(sorted_only, "sort-by-hand"),
        "unsorted twice": bug(unsorted_twice, "comes-back-sorted"),
        "one step too short": bug(too_short, "too-short-raises"),
        "random start": bug(random_start, "random-h-0", FULL),
        "dropout in eval mode": bug(dropout_always, "no-grad-is-eval"),
        "carried state": Case(state, "carried-state-as-is", "floats"),
        "both ways, causal": bug(
            tag_plain, "predict-the-next", {"kind": "full", "options": {"causal": True}}),
        "both ways in chunks": Case(
            Stateful(bi=True), "stream-in-chunks", "float full", options={"stateful": True}),
        "half turned": bug(flipped_half, "backward-half-reversed", FULL),
        "half left out": bug(forward_half, "backward-is-left-out", FULL, width=H),
        "by hand, outputs not turned": Case(
            ByHand(lambda r, e: r(e.flip(1))[0]), "unflipped-outputs", "full"),
        "by hand, inputs not turned": Case(
            ByHand(lambda r, e: r(e)[0].flip(1)), "both-read-forward", "full"),
        "by hand, features turned": Case(
            ByHand(lambda r, e: r(e.flip(-1))[0]), "flip-wrong-axis", "full"),
        "pack without its flag": bug(packed_without_flag, "flag-is-enough-for-packing", SQUARE),
        "unpack without its flag": bug(unpacked_without_flag, "flag-is-enough-for-packing"),
        "a row for each block": bug(block_of_h, "batch-first-everywhere", FULL, width=H),
        "half a batch": bug(half_a_batch, "chunk-splits-directions", FULL),
        "one fixed start": bug(one_start, "fixed-h-0", FULL),
        "start batch first": bug(own_start, "h-0-batch-first", PAIR),
        "squeezed": Case(Squeezed(), "squeeze-is-harmless", "full"),
        "encoder into decoder": Case(SeqToSeq(1), "encoder-state-fits-decoder", "full"),
        "low layers into decoder": Case(SeqToSeq(2), "first-states-are-forward", "full"),
        "numbers without a feature axis": Case(
            Rows(), "input-size-is-length", "numbers"),
        "vectors as a batch": bug(
            lambda net, x, n: net.rnn(x.mean(1))[0], "two-dims-are-a-batch", FULL),
        "padded on the left": Case(Net(tag_packed), "left-padding-packs", "left"),
        "zeros counted as pads": Case(ZerosCounted(), "zeros-count-as-pads", "zeros"),
        "by hand, padded": Case(
            ByHand(lambda r, e: r(e.flip(1))[0].flip(1)), "flip-reverses-padded"),
    }  # fmt: skip


def batch_of(kind: str) -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(2)
    if kind == "square":
        return batch("ids", 8, 8)
    if kind == "pair":
        return batch("full", 2, 9)
    x, n = batch(kind if kind in ("full", "floats") else "ids")
    if kind == "float full":
        return torch.randn(6, 14, D, generator=g), n * 0 + 14
    if kind == "numbers":
        return torch.randn(6, 14, generator=g), n * 0 + 14
    if kind == "left":
        return left(x, n), n
    if kind == "zeros":
        x[0, 2] = x[1, 5] = x[4, 1] = 0
    return x, n


def run(case: Case, **more: Any) -> Any:
    from birnn_course import audit

    x, n = batch_of(case.kind)
    model = case.model
    if isinstance(model, nn.Module) and next(model.parameters()).dtype == torch.float64:
        x = x.double() if x.is_floating_point() else x
    if case.time_first:
        x = x.transpose(0, 1)
    return audit(model, x, n, **{**(case.options or {}), **more})
