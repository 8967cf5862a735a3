"""Errors about packing, padding and lengths."""

from __future__ import annotations

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from birnn_course.explain.matching import Clues, Explanation, Known, known, listed, shape

TABLE: list[Known] = []


@known(
    TABLE,
    r"'lengths' argument should be a 1D CPU int64 tensor, but got 1D (?P<device>(?!cpu)[\w:]+)",
)
def _lengths_device(clues: Clues) -> Explanation:
    return Explanation(
        f"The lengths are on {clues.match['device']}, and packing needs them on the CPU, wherever "
        "the data are: lengths.cpu(), or a plain list.",
        ("lengths-on-the-gpu",),
    )


@known(TABLE, r"Length of all samples has to be greater than 0")
def _empty_sequence(clues: Clues) -> Explanation:
    lengths = clues.local("lengths")
    empty = ""
    if isinstance(lengths, Tensor):
        positions = (lengths <= 0).nonzero().flatten().tolist()
        sorting = clues.local("enforce_sorted") is False
        where = "" if sorting else f", at position {listed(positions)}"
        empty = f" Lengths of 0 or less: {len(positions)} of {len(lengths)}{where}."
    return Explanation(
        f"An empty sequence cannot be packed.{empty} Leave it out before packing, or keep one pad "
        "of it and mask the result.",
        ("empty-sequences",),
    )


@known(TABLE, r"Expected sequence length to be larger than 0 in RNN")
def _no_steps(clues: Clues) -> Explanation:
    x = clues.local("input")
    size = f" {shape(x)}" if isinstance(x, Tensor) else ""
    return Explanation(
        f"The time axis of this input{size} has no step. An RNN needs one at least; a batch "
        "without sequences is fine.",
        ("empty-sequences",),
    )


@known(TABLE, r"`lengths` array must be sorted in decreasing order")
def _unsorted(clues: Clues) -> Explanation:
    lengths = clues.local("lengths")
    yours = f" Yours are {listed(lengths.tolist())}." if isinstance(lengths, Tensor) else ""
    return Explanation(
        f"By default the sequences must come longest first.{yours} Pass enforce_sorted=False: "
        "PyTorch sorts inside, and everything comes back in your order.",
        ("sort-by-hand",),
    )


@known(
    TABLE,
    r"Expected `len\(lengths\)` to be equal to batch_size, but got (?P<got>\d+) "
    r"\(batch_size=(?P<batch>\d+)\)",
)
def _number_of_lengths(clues: Clues) -> Explanation:
    got, batch = clues.number("got"), clues.number("batch")
    x, flag = clues.local("input"), clues.local("batch_first")
    if isinstance(x, Tensor) and x.dim() > 1 and x.shape[1 if flag else 0] == got:
        return Explanation(
            f"There are {got} lengths, and with batch_first={flag} the input {shape(x)} is read as "
            f"{batch} sequences. Packing does not know the RNN's batch_first: pass "
            f"batch_first={not flag} here and to pad_packed_sequence too.",
            ("flag-is-enough-for-packing",),
        )
    return Explanation(
        f"There are {got} lengths for {batch} sequences. Only the sorted way notices: with "
        "enforce_sorted=False too few lengths drop sequences without a word.",
        ("number-of-lengths-checked",),
    )


@known(TABLE, r"index out of range in self")
def _too_many_lengths(clues: Clues) -> Explanation | None:
    x, lengths = clues.local("input"), clues.local("lengths")
    if clues.function != "pack_padded_sequence" or not isinstance(x, Tensor) or lengths is None:
        return None
    batch = x.shape[0 if clues.local("batch_first") else 1]
    return Explanation(
        f"There are {len(lengths)} lengths for {batch} sequences. Too many end in this message, "
        "too few drop sequences without a word.",
        ("number-of-lengths-checked",),
    )


@known(TABLE, r"start \(\d+\) \+ length \(\d+\) exceeds dimension size \((?P<rows>\d+)\)")
@known(
    TABLE,
    r"shape '\[[\d, ]+\]' is invalid for input of size (?P<rows>\d+)",
)
def _length_beyond_the_end(clues: Clues) -> Explanation | None:
    data, sizes = clues.local("input"), clues.local("batch_sizes")
    if isinstance(clues.local("sequence"), PackedSequence):  # it was being unpacked
        data, sizes = clues.local("sequence")[:2]
    if (
        not isinstance(data, Tensor)
        or not isinstance(sizes, Tensor)
        or int(sizes.sum()) == len(data)
    ):
        return None
    return Explanation(
        f"This packed batch claims a longest sequence of {len(sizes)} steps and "
        f"{int(sizes.sum())} steps in all, and holds {len(data)}: a length is larger than the time "
        "axis of what was packed. Packing does not check that.",
        ("too-long-raises-at-once",),
    )


@known(
    TABLE,
    r"Expected total_length to be at least the length of the longest sequence in input, but got "
    r"total_length=(?P<got>\d+) and max sequence length being (?P<longest>\d+)",
)
def _total_length(clues: Clues) -> Explanation:
    got, longest = clues.number("got"), clues.number("longest")
    return Explanation(
        f"total_length={got} is shorter than the longest sequence here, {longest}. It is there to "
        "bring back the padded length from before packing: total_length=x.shape[1] with "
        "batch_first=True. Without it you get the longest of this batch.",
        ("pad-packed-keeps-length",),
    )


@known(
    TABLE,
    r"stack expects each tensor to be equal size, but got \[(?P<a>[\d, ]*)\] at entry 0 "
    r"and \[(?P<b>[\d, ]*)\] at entry (?P<at>\d+)",
)
def _ragged(clues: Clues) -> Explanation | None:
    a, b = clues.sizes("a"), clues.sizes("b")
    if len(a) != len(b) or not a or a[1:] != b[1:]:
        return None
    return Explanation(
        f"Sequence 0 has {a[0]} steps and sequence {clues.match['at']} has {b[0]}, and a batch is "
        "one block. Give the DataLoader a collate_fn that calls pad_sequence(sequences, "
        "batch_first=True) and keeps the lengths.",
        ("ragged-lists-batch",),
    )


@known(TABLE, r"each element in list of batch should be of equal size")
def _ragged_lists(clues: Clues) -> Explanation:
    lengths = [len(x) for x in clues.local("batch") or [] if hasattr(x, "__len__")]
    sizes = f" ({listed(lengths)})" if lengths else ""
    return Explanation(
        f"The sequences of this batch differ in length{sizes}. Give the DataLoader a collate_fn "
        "that makes tensors, pads them with pad_sequence and keeps the lengths.",
        ("ragged-lists-batch",),
    )


@known(TABLE, r"expected Tensor as element (?P<at>\d+) in argument 0, but got (?P<got>\w+)")
@known(TABLE, r"argument 'sequences' .*must be tuple of Tensors, not (?P<got>\w+)")
def _lists_to_pad(clues: Clues) -> Explanation | None:
    if clues.function != "pad_sequence":
        return None
    return Explanation(
        f"pad_sequence takes a list of tensors, and this one holds a {clues.match['got']}: "
        "pad_sequence([torch.tensor(s) for s in sequences], batch_first=True).",
        ("ragged-lists-batch",),
    )
