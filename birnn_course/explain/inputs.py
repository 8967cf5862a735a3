"""Errors about what goes into an RNN: sizes, states, dtypes, devices, options."""

from __future__ import annotations

from torch import Tensor, nn

from birnn_course.explain.matching import (
    Clues,
    Explanation,
    Known,
    directions,
    is_state,
    known,
    shape,
    width,
)

TABLE: list[Known] = []


@known(
    TABLE,
    r"input\.size\(-1\) must be equal to input_size\. Expected (?P<wants>\d+), got (?P<got>\d+)",
)
def _features(clues: Clues) -> Explanation | None:
    wants, got = clues.number("wants"), clues.number("got")
    sizes = () if clues.rnn_input is None else shape(clues.rnn_input)
    steps = sizes[:-1]
    if got == 2 * wants and any(r.bidirectional and width(r) == wants for r in clues.rnns):
        return Explanation(
            f"This RNN takes {wants} features and got {got} = 2 x {wants}: the bidirectional layer "
            f"before it joins both directions. Give it input_size={got}.",
            ("next-layer-takes-hidden-size",),
        )
    if wants == 1 and len(steps) == 1:
        return Explanation(
            f"A 2-D input {sizes} is one sequence of {steps[0]} steps with {got} features, and "
            f"input_size=1 wants one feature. If these are {steps[0]} sequences of {got} numbers, "
            f"add the last axis: x.unsqueeze(-1).",
            ("input-size-is-length", "two-dims-are-a-batch"),
        )
    if wants in steps:
        return Explanation(
            f"input_size={wants} is the number of features in one step, which is the last size of "
            f"the input {sizes}, {got}. The {wants} there is another axis: of time or of "
            f"sequences.",
            ("input-size-is-length",),
        )
    return None


@known(TABLE, r"Expected hidden(?:\[[01]\])? size \D(?P<wants>[\d, ]+)\D+ got \D*(?P<got>[\d, ]+)")
def _state_size(clues: Clues) -> Explanation | None:
    wants, got = clues.sizes("wants"), clues.sizes("got")
    rnn = clues.rnn
    if len(wants) != 3 or len(got) != 3 or rnn is None:
        return None
    layers, n = rnn.num_layers, directions(rnn)
    faults, ids = [], []
    if got[1] != wants[1] and got[0] == wants[1] and got[1] in (wants[0], layers):
        faults.append("yours has the batch first, and a state never has, whatever batch_first says")
        ids.append("h-0-batch-first")
        got = (got[1], got[0], got[2])
    if n == 2 and got[0] == layers:
        faults.append(
            f"a bidirectional RNN needs {wants[0]} = {layers} x 2 states, and {layers} came"
        )
        ids.append("h-0-forgets-directions")
    elif got[0] == 2 * wants[0]:
        faults.append(
            f"{got[0]} states came, as from a bidirectional encoder with {wants[0]} layer(s), so "
            "join its two directions for each layer first"
        )
        ids.append("encoder-state-fits-decoder")
    if got[2] == 2 * wants[2]:
        faults.append(
            f"yours is {got[2]} = 2 x {wants[2]} wide, as two joined directions are, so bring it "
            f"to {wants[2]} first or give the decoder hidden_size={got[2]}"
        )
        ids.append("encoder-state-fits-decoder")
    if got[1] != wants[1]:
        sentence, name = _batch_of_state(clues, rnn, wants[1], got[1])
        faults.append(sentence)
        ids.append(name)
    if not faults:
        return None
    return Explanation(
        f"The state must be (num_layers x directions, batch, hidden_size) = {wants}, and "
        f"{clues.sizes('got')} came: {'; '.join(faults)}.",
        tuple(dict.fromkeys(ids)),
    )


def _batch_of_state(clues: Clues, rnn: nn.RNNBase, batch: int, got: int) -> tuple[str, str]:
    x = clues.rnn_input
    if x is not None and x.dim() == 3 and x.shape[1 if rnn.batch_first else 0] == got:
        return (
            f"with batch_first={rnn.batch_first} the input {shape(x)} is read as {batch} "
            f"sequences, and the state is for {got}. Without a state of yours this would "
            "run, and mix them up",
            "missing-batch-first-raises",
        )
    return (
        f"this batch holds {batch} sequences and the state was made for {got}. Zeros of the right "
        "size are what you get when you pass no state",
        "fixed-h-0",
    )


@known(TABLE, r"For unbatched 2-D input, hx .*but got \(?(?P<got>\d)-D")
def _batched_state_for_one_sequence(clues: Clues) -> Explanation:
    x = clues.rnn_input
    what = "Your 2-D input" if x is None else f"Your input {shape(x)}"
    return Explanation(
        f"{what} has two dimensions, so it is one sequence and not a batch, while the state is "
        f"{clues.match['got']}-D, for a batch. A batch is 3-D: x.unsqueeze(0) makes a batch of one "
        "with batch_first=True, x.unsqueeze(1) without.",
        ("two-dims-are-a-batch",),
    )


@known(TABLE, r"For batched 3-D input, hx .*but got \(?(?P<got>\d)-D")
def _flat_state(clues: Clues) -> Explanation | None:
    rnn = clues.rnn
    if rnn is None:
        return None
    return Explanation(
        f"The state is {clues.match['got']}-D. For a batch it is 3-D, (num_layers x directions, "
        f"batch, hidden_size) with {rnn.num_layers} x {directions(rnn)} first and "
        f"{rnn.hidden_size} last.",
        ("h-0-forgets-directions",),
    )


@known(
    TABLE,
    r"RNN input dtype \(torch\.(?P<got>\w+)\) does not match weight dtype "
    r"\(torch\.(?P<wants>\w+)\)",
)
@known(  # as torch 2.8 says it
    TABLE, r"input must have the type torch\.(?P<wants>\w+), got type torch\.(?P<got>\w+)"
)
def _input_dtype(clues: Clues) -> Explanation:
    got, wants = clues.match["got"], clues.match["wants"]
    if got.startswith(("int", "uint", "bool")):
        return Explanation(
            f"The RNN got {got} values and computes with {wants}. If they are token ids, an "
            "nn.Embedding belongs in front; turning the model into integers helps nobody.",
            ("ids-into-the-rnn", "any-dtype-goes"),
        )
    from_numpy = " NumPy's numbers are float64." if got == "float64" else ""
    return Explanation(
        f"The input is {got} and the weights are {wants}: convert the input once, with "
        f"x.to(torch.{wants}).{from_numpy}",
        ("any-dtype-goes",),
    )


@known(
    TABLE, r"get_mkldnn_dtype|must have the same dtype, but got|expected scalar type \w+ but found"
)
def _state_dtype(clues: Clues) -> Explanation | None:
    rnn = clues.rnn
    if rnn is None:
        return None
    wants = next(rnn.parameters()).dtype
    arguments = (clues.local("input"), clues.local("hx"))
    tensors = [t for value in arguments for t in (value if isinstance(value, tuple) else (value,))]
    got = {str(t.dtype) for t in tensors if isinstance(t, Tensor) and t.is_floating_point()}
    others = sorted(got - {str(wants)})
    if not others:
        return None
    return Explanation(
        f"The weights are {wants}, and a tensor that you passed (the input or the state) is "
        f"{' and '.join(others)}. Convert it with .to({wants}).",
        ("any-dtype-goes",),
    )


@known(TABLE, r"'(?:numpy\.)?(?P<got>ndarray|list|int|float)' object has no attribute 'dim'")
def _no_tensor(clues: Clues) -> Explanation | None:
    if clues.rnn is None:
        return None
    got = clues.local("input")
    size = f" of shape {got.shape} and dtype {got.dtype}" if hasattr(got, "dtype") else ""
    return Explanation(
        f"The RNN got a {clues.match['got']}{size}, and it takes tensors: "
        "torch.as_tensor(x, dtype=torch.float32).",
        ("any-dtype-goes",),
    )


@known(
    TABLE,
    r"Input and hidden tensors are not at the same device, found input tensor at (?P<x>[\w:]+) "
    r"and hidden tensor at (?P<h>[\w:]+)",
)
def _state_device(clues: Clues) -> Explanation:
    return Explanation(
        f"The input is on {clues.match['x']} and the state on {clues.match['h']}: model.to(device) "
        "does not move a tensor that you make yourself. Make it with device=x.device, or pass no "
        "state, which means zeros.",
        ("h-0-follows-the-model",),
    )


@known(TABLE, r"(?:lstm|gru|rnn_tanh|rnn_relu)\(\) received an invalid combination of arguments")
def _direction_flag(clues: Clues) -> Explanation | None:
    flag = clues.rnn.bidirectional if clues.rnn is not None else True
    if isinstance(flag, bool):
        return None
    return Explanation(
        f"This RNN was built with bidirectional={flag!r}, which the constructor accepts and the "
        f"call does not. It must be True or False; {flag!r} counts as {bool(flag)} until then.",
        ("any-truth-value",),
    )


@known(TABLE, r"dropout should be a number in range \[0, 1\]")
def _dropout_flag(clues: Clues) -> Explanation | None:
    dropout = clues.local("dropout")
    if not isinstance(clues.local("self"), nn.RNNBase):
        return None
    order = " By position, the sixth argument is dropout." if isinstance(dropout, bool) else ""
    return Explanation(
        f"dropout={dropout!r} is no probability between 0 and 1. It acts between layers only, "
        f"never on the output, so with num_layers={clues.local('num_layers')} put "
        f"nn.Dropout before the head for that.{order}",
        ("dropout-on-the-output",),
    )


@known(TABLE, r"cudnn RNN backward can only be called in training mode")
def _backward_in_eval(clues: Clues) -> Explanation:
    return Explanation(
        "On a GPU, cuDNN's RNN has no backward pass in eval mode; on a CPU it runs. For gradients "
        "at prediction time, wrap forward and backward in "
        "torch.backends.cudnn.flags(enabled=False), or call train() with all dropout at 0.",
        ("cudnn-eval-backward",),
    )


@known(TABLE, r"CUBLAS_WORKSPACE_CONFIG")
def _deterministic(clues: Clues) -> Explanation:
    return Explanation(
        "A seed does not make a GPU deterministic, and PyTorch was asked to refuse what is not. "
        "Set CUBLAS_WORKSPACE_CONFIG=:4096:8 in the environment before Python starts.",
        ("seeding-is-enough",),
    )


@known(TABLE, r"Trying to backward through the graph a second time")
def _carried_state(clues: Clues) -> Explanation | None:
    pairs = [value if isinstance(value, tuple) else (value,) for value in clues.values]
    carried = [
        tensor
        for pair in pairs
        for tensor in pair
        if isinstance(tensor, Tensor)
        and tensor.grad_fn
        and any(is_state(tensor, r) for r in clues.rnns)
    ]
    if not carried:
        return None
    return Explanation(
        f"This backward pass reached a graph that an earlier one has used up. A state "
        f"{shape(carried[0])} carried over from the last batch still hangs on that batch's graph: "
        "detach it before the next one (an LSTM's h and c both). retain_graph=True would only hide "
        "it, and memory grows.",
        ("carried-state-as-is",),
    )


@known(
    TABLE,
    r"Expected tensor for argument #1 'indices' .*but got torch\.(?:\w+\.)?(?P<got>\w+)Tensor",
)
def _float_ids(clues: Clues) -> Explanation:
    return Explanation(
        f"nn.Embedding looks up rows by whole numbers and got {clues.match['got']}: ids.long(). If "
        "these are vectors already, they go into the RNN without an embedding.",
        ("ids-into-the-rnn",),
    )


@known(TABLE, r"index out of range in self")
def _id_too_large(clues: Clues) -> Explanation | None:
    ids, weight = clues.local("input"), clues.local("weight")
    if clues.function != "embedding" or not isinstance(ids, Tensor) or weight is None:
        return None
    rows, low, high = weight.shape[0], int(ids.min()), int(ids.max())
    return Explanation(
        f"This embedding has {rows} rows, for the ids 0 to {rows - 1}; yours run from {low} to "
        f"{high}. The pad and the unknown word need a row too.",
        ("ids-into-the-rnn",),
    )
