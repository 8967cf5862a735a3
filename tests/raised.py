"""Wrong code for the error explainer's tests: what it knows, and what it must not touch."""

from __future__ import annotations

PREAMBLE = """
import numpy as np, torch, torchmetrics
from sklearn import metrics
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import *
x = torch.randn(3, 5, 4)
"""

# The first id that the explanation must name, the code, and what the explanation must say.
Case = tuple[str, str, tuple[str, ...]]

NEXT_LAYER: Case = (
    "next-layer-takes-hidden-size",
    "first = nn.LSTM(4, 6, bidirectional=True, batch_first=True)\n"
    "out, _ = first(x)\n"
    "nn.LSTM(6, 6)(out)",
    ("takes 6 features and got 12 = 2 x 6", "input_size=12"),
)

# A set, so that no test can depend on which comes first: a new one may stand anywhere.
KNOWN: set[Case] = {
    # ---- inputs
    NEXT_LAYER,
    (
        "input-size-is-length",
        "nn.LSTM(1, 6)(torch.randn(3, 5))",
        ("(3, 5)", "3 steps with 5 features", "x.unsqueeze(-1)"),
    ),
    (
        "input-size-is-length",
        "nn.GRU(5, 6, batch_first=True)(x)",
        ("input_size=5", "(3, 5, 4)"),
    ),
    (
        "h-0-forgets-directions",
        "lstm = nn.LSTM(4, 6, batch_first=True, bidirectional=True)\n"
        "lstm(x, (torch.zeros(1, 3, 6), torch.zeros(1, 3, 6)))",
        ("(2, 3, 6), and (1, 3, 6) came", "2 = 1 x 2 states, and 1 came"),
    ),
    (
        "h-0-forgets-directions",
        "gru = nn.GRU(4, 6, 2, batch_first=True, bidirectional=True)\ngru(x, torch.zeros(2, 3, 6))",
        ("(4, 3, 6)", "4 = 2 x 2 states, and 2 came"),
    ),
    (
        "h-0-forgets-directions",
        "gru = nn.GRU(4, 6, bidirectional=True)\ngru(x, torch.zeros(2, 6))",
        ("2-D", "1 x 2 first and 6 last"),
    ),
    (
        "h-0-batch-first",
        "lstm = nn.LSTM(4, 6, batch_first=True, bidirectional=True)\n"
        "lstm(x, (torch.zeros(3, 2, 6), torch.zeros(3, 2, 6)))",
        ("(2, 3, 6), and (3, 2, 6) came", "the batch first"),
    ),
    (
        "fixed-h-0",
        "gru = nn.GRU(4, 6, batch_first=True)\ngru(x, torch.zeros(1, 4, 6))",
        ("(1, 3, 6), and (1, 4, 6) came", "holds 3 sequences", "made for 4"),
    ),
    (
        "missing-batch-first-raises",
        "gru = nn.GRU(4, 6, bidirectional=True)\ngru(x, torch.zeros(2, 3, 6))",
        ("batch_first=False", "(3, 5, 4) is read as 5 sequences", "state is for 3"),
    ),
    (
        "encoder-state-fits-decoder",
        "_, h = nn.GRU(4, 6, bidirectional=True, batch_first=True)(x)\n"
        "nn.GRU(4, 6, batch_first=True)(x, h)",
        ("(1, 3, 6), and (2, 3, 6) came", "2 states came"),
    ),
    (
        "encoder-state-fits-decoder",
        "_, h = nn.GRU(4, 6, bidirectional=True, batch_first=True)(x)\n"
        "nn.GRU(4, 6, batch_first=True)(x, torch.cat([h[0], h[1]], 1)[None])",
        ("12 = 2 x 6 wide", "hidden_size=12"),
    ),
    (
        "two-dims-are-a-batch",
        "gru = nn.GRU(4, 6, bidirectional=True)\ngru(x[0], torch.zeros(2, 3, 6))",
        ("(5, 4) has two dimensions", "3-D"),
    ),
    (
        "two-dims-are-a-batch",
        "lstm = nn.LSTM(4, 6)\nlstm(x[0], (torch.zeros(1, 3, 6), torch.zeros(1, 3, 6)))",
        ("(5, 4) has two dimensions",),
    ),
    ("any-dtype-goes", "nn.LSTM(4, 6)(x.double())", ("is float64 and the weights are float32",)),
    (
        "any-dtype-goes",
        "nn.GRU(4, 6)(x, torch.zeros(1, 5, 6).double())",
        ("weights are torch.float32", "torch.float64"),
    ),
    (
        "any-dtype-goes",
        "lstm, zeros = nn.LSTM(4, 6), torch.zeros(1, 5, 6).double()\nlstm(x, (zeros, zeros))",
        ("weights are torch.float32", "torch.float64"),
    ),
    ("any-dtype-goes", "nn.LSTM(4, 6)(x.numpy())", ("ndarray of shape (3, 5, 4)",)),
    ("ids-into-the-rnn", "nn.LSTM(5, 6)(torch.randint(9, (3, 5)))", ("int64", "nn.Embedding")),
    ("ids-into-the-rnn", "nn.Embedding(10, 4)(torch.randn(3, 5))", ("got Float", "ids.long()")),
    (
        "ids-into-the-rnn",
        "nn.Embedding(10, 4)(torch.tensor([[2, 10, 0]]))",
        ("10 rows", "0 to 9", "from 0 to 10"),
    ),
    (
        "h-0-follows-the-model",
        "nn.GRU(4, 6)(x, torch.zeros(1, 5, 6, device='meta'))",
        ("input is on cpu and the state on meta",),
    ),
    ("any-truth-value", "nn.LSTM(4, 6, bidirectional='False')(x)", ("'False'", "counts as True")),
    ("any-truth-value", "nn.GRU(4, 6, bidirectional=1)(x)", ("bidirectional=1",)),
    ("dropout-on-the-output", "nn.LSTM(4, 6, 2, dropout=True)", ("dropout=True", "num_layers=2")),
    (
        "carried-state-as-is",
        "lstm = nn.LSTM(4, 6)\nstate = None\n"
        "for _ in range(2):\n    out, state = lstm(x, state)\n    out.sum().backward()",
        ("state (1, 5, 6)", "detach"),
    ),
    (
        "carried-state-as-is",
        "gru = nn.GRU(4, 6, bidirectional=True)\nh = None\n"
        "def step(h):\n    out, h = gru(x, h)\n    out.sum().backward()\n    return h\n"
        "step(step(h))",
        ("state (2, 5, 6)",),
    ),
    # ---- outputs
    (
        "head-keeps-its-size",
        "lstm = nn.LSTM(4, 6, bidirectional=True)\nnn.Linear(6, 2)(lstm(x)[0])",
        ("takes 6 features and got 12 = 2 x 6", "nn.Linear(12, 2)"),
    ),
    (
        "head-keeps-its-size",
        "class Tagger(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.rnn = nn.GRU(4, 7, bidirectional=True)\n"
        "        self.head = nn.Linear(7, 3)\n"
        "    def forward(self, x):\n"
        "        return self.head(self.rnn(x)[0])\n"
        "Tagger()(x)",
        ("takes 7 features and got 14 = 2 x 7", "nn.Linear(14, 3)"),
    ),
    (
        "h-n-is-joined",
        "lstm = nn.LSTM(4, 6, bidirectional=True)\nnn.Linear(12, 2)(lstm(x)[1][0])",
        ("takes 12 = 2 x 6 features and got 6", "torch.cat"),
    ),
    (
        "h-n-is-joined",
        "lstm = nn.LSTM(4, 6, bidirectional=True)\n_, h = lstm(x)\n"
        "nn.Linear(12, 2)(torch.cat([h[-2], h[-1]], 1))",
        ("got 6, one direction", "h_n, c_n = state", "state-tuple-is-h-n"),
    ),
    (
        "h-n-is-joined",
        "lstm = nn.LSTM(4, 6, bidirectional=True, batch_first=True)\n"
        "logits = nn.Linear(6, 2)(lstm(x)[1][0].squeeze(0))\n"
        "F.cross_entropy(logits, torch.tensor([0, 1, 0]))",
        ("(2, 3, 2)", "the 2 states", "squeeze-is-harmless"),
    ),
    (
        "view-joins-directions",
        "gru = nn.GRU(4, 6, bidirectional=True)\n_, h_n = gru(x)\nh_n.transpose(0, 1).view(5, -1)",
        ("use reshape", "2 states of each sample"),
    ),
    (
        "batch-first-can-be-viewed",
        "lstm = nn.LSTM(4, 6, bidirectional=True, batch_first=True)\n"
        "out, (h, c) = lstm(x)\nout.view(15, -1)",
        ("(3, 5, 12)", "reshape"),
    ),
    (
        "batch-first-can-be-viewed",
        "lstm = nn.LSTM(4, 6, bidirectional=True, batch_first=True)\n"
        "(\n    lstm(x)[0]\n    .view(15, -1)\n)",
        ("The output of an RNN", "reshape"),
    ),
    (
        "gru-unpacks-like-lstm",
        "gru = nn.GRU(4, 6); output, (h, c) = gru(x)",
        ("nn.GRU has no c_n", "1 = 1 x 1"),
    ),
    (
        "gru-unpacks-like-lstm",
        "class Model(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.rnn = nn.RNN(4, 6, 2, bidirectional=True)\n"
        "    def forward(self, x):\n"
        "        output, (h, c) = self.rnn(x)\n"
        "Model()(x)",
        ("nn.RNN has no c_n", "4 = 2 x 2"),
    ),
    ("state-tuple-is-h-n", "lstm = nn.LSTM(4, 6)\nout, h = lstm(x)\nh.shape", ("(h_n, c_n)",)),
    ("state-tuple-is-h-n", "lstm = nn.LSTM(4, 6)\nlstm(x)[1].cpu()", ("c_n",)),
    (
        "state-tuple-is-h-n",
        "lstm = nn.LSTM(4, 6)\nout, h = lstm(x)\nnn.Linear(6, 2)(h)",
        ("(h_n, c_n)",),
    ),
    (
        "lstm-in-sequential",
        "nn.Sequential(nn.LSTM(4, 6), nn.Linear(6, 2))(x)",
        ("nn.Sequential", "(output, state)"),
    ),
    ("lstm-in-sequential", "nn.Sequential(nn.GRU(4, 6), nn.GRU(6, 2))(x)", ("nn.Sequential",)),
    ("lstm-in-sequential", "out = nn.LSTM(4, 6)(x)\nout[:, -1]", ("a pair, (output, state)",)),
    (
        "packed-is-a-tensor",
        "p = pack_padded_sequence(x, [5, 3, 2], batch_first=True)\nnn.Linear(4, 2)(p)",
        ("PackedSequence is not a tensor",),
    ),
    ("packed-is-a-tensor", "p = pack_sequence([x[0], x[1]])\np.shape", ("is not a tensor",)),
    ("packed-is-a-tensor", "p = pack_sequence([x[0], x[1]])\np[:, -1]", ("is not a tensor",)),
    ("packed-is-a-tensor", "p = pack_sequence([x[0], x[1]])\ntorch.relu(p)", ("is not a tensor",)),
    ("packed-is-a-tensor", "p = pack_sequence([x[0], x[1]])\np * 2.0", ("is not a tensor",)),
    (
        "pad-packed-gives-a-tensor",
        "p = pack_sequence([x[0], x[1]])\nnn.Linear(4, 2)(pad_packed_sequence(p))",
        ("two things", "padded, lengths"),
    ),
    (
        "pad-packed-gives-a-tensor",
        "p = pack_sequence([x[0], x[1]])\npad_packed_sequence(p).shape",
        ("two things",),
    ),
    (
        "padded-end-is-the-end",
        "gru = nn.GRU(4, 6, bidirectional=True, batch_first=True)\nout, _ = gru(x)\n"
        "lengths = torch.tensor([5, 3, 2])\nout[torch.arange(3), lengths]",
        ("last of 5 is 4",),
    ),
    (
        "h-n-per-step",
        "gru = nn.GRU(4, 6, bidirectional=True, batch_first=True)\n_, h_n = gru(x)\nh_n[:, 4]",
        ("(2, 3, 6)", "index 4"),
    ),
    (
        "mask-multiplies",
        "gru = nn.GRU(4, 6, bidirectional=True, batch_first=True)\nout, _ = gru(x)\n"
        "mask = torch.ones(3, 5)\n(out * mask).sum(1)",
        ("(3, 5) does not fit onto (3, 5, 12)", "5 against 12", "unsqueeze(-1)"),
    ),
    (
        "mask-multiplies",
        "mask = torch.ones(3, 5) > 0\nx.masked_fill(mask, 0.0)",
        ("(3, 5) does not fit onto (3, 5, 4)",),
    ),
    ("unflipped-outputs", "x[:, ::-1]", ("(3, 5, 4)", "x.flip(1)")),
    # ---- packing
    (
        "lengths-on-the-gpu",
        "pack_padded_sequence(x, torch.tensor([5, 3, 2]).to('meta'), batch_first=True)",
        ("lengths are on meta", "lengths.cpu()"),
    ),
    (
        "empty-sequences",
        "pack_padded_sequence(x, [5, 3, 0], batch_first=True)",
        ("0 or less: 1 of 3, at position 2",),
    ),
    ("empty-sequences", "nn.LSTM(4, 6, batch_first=True)(torch.randn(3, 0, 4))", ("(3, 0, 4)",)),
    (
        "sort-by-hand",
        "pack_padded_sequence(x, [3, 5, 2], batch_first=True)",
        ("Yours are 3, 5, 2", "enforce_sorted=False"),
    ),
    (
        "flag-is-enough-for-packing",
        "pack_padded_sequence(x, [5, 3, 2])",
        ("3 lengths", "batch_first=False", "(3, 5, 4) is read as 5 sequences"),
    ),
    (
        "number-of-lengths-checked",
        "pack_padded_sequence(x, [5, 3], batch_first=True)",
        ("2 lengths for 3 sequences",),
    ),
    (
        "number-of-lengths-checked",
        "pack_padded_sequence(x, [5, 3, 2, 2], batch_first=True, enforce_sorted=False)",
        ("4 lengths for 3 sequences",),
    ),
    (
        "too-long-raises-at-once",
        "p = pack_padded_sequence(x, [7, 3, 2], batch_first=True)\nnn.LSTM(4, 6)(p)",
        ("longest sequence of 7 steps and 12 steps in all, and holds 10",),
    ),
    (
        "too-long-raises-at-once",
        "p = pack_padded_sequence(x, [7, 3, 2], batch_first=True)\npad_packed_sequence(p)",
        ("longest sequence of 7 steps", "holds 10"),
    ),
    (
        "pad-packed-keeps-length",
        "p = pack_padded_sequence(x, [4, 3, 2], batch_first=True)\n"
        "pad_packed_sequence(p, batch_first=True, total_length=3)",
        ("total_length=3", "longest sequence here, 4"),
    ),
    (
        "pad-packed-keeps-length",
        "logits = torch.randn(2, 3, 5)\nF.cross_entropy(logits, torch.ones(2, 8).long())",
        ("(2, 3, 5) have 5 steps and the targets 8", "total_length=8"),
    ),
    (
        "pad-packed-keeps-length",
        "gru = nn.GRU(4, 6)\nlogits, y = torch.randn(2, 5, 3), torch.ones(2, 8).long()\n"
        "F.cross_entropy(logits.reshape(-1, 3), y.reshape(-1))",
        ("16 targets = 2 x 8", "10 rows of logits = 2 x 5", "total_length=8"),
    ),
    (
        "ragged-lists-batch",
        "from torch.utils.data import DataLoader\n"
        "next(iter(DataLoader([torch.zeros(2, 4), torch.zeros(3, 4)], batch_size=2)))",
        ("Sequence 0 has 2 steps and sequence 1 has 3", "collate_fn"),
    ),
    (
        "ragged-lists-batch",
        "from torch.utils.data import DataLoader\n"
        "next(iter(DataLoader([[1, 2], [3]], batch_size=2)))",
        ("(2, 1)", "pad_sequence"),
    ),
    ("ragged-lists-batch", "pad_sequence([[1, 2], [3]])", ("holds a list",)),
    # ---- losses and metrics
    (
        "classes-last-in-loss",
        "F.cross_entropy(torch.randn(3, 5, 4), torch.ones(3, 5).long())",
        ("(3, 5, 4)", "the 4 classes last", "(3, 4, 5)"),
    ),
    (
        "layout-caught-later",
        "lstm = nn.LSTM(4, 6, bidirectional=True)\nout, _ = lstm(x)\n"
        "nn.CrossEntropyLoss()(nn.Linear(12, 2)(out[-1]), torch.tensor([0, 1, 0]))",
        ("5 rows of logits for 3 targets", "(3, 5, ...)", "batch_first=False"),
    ),
    (
        "layout-caught-later",
        "lstm = nn.LSTM(4, 6, bidirectional=True, batch_first=True)\nout, _ = lstm(x)\n"
        "nn.CrossEntropyLoss()(nn.Linear(12, 2)(out[-1]), torch.tensor([0, 1, 0]))",
        ("5 rows of logits for 3 targets", "out[-1] is the last sample"),
    ),
    (
        "squeeze-is-harmless",
        "logits = torch.randn(1, 1).squeeze()\n"
        "F.binary_cross_entropy_with_logits(logits, torch.tensor([1.0]))",
        ("no axis left", "1 target"),
    ),
    (
        "column-targets",
        "F.binary_cross_entropy_with_logits(torch.randn(3, 1), torch.ones(3))",
        ("Predictions (3, 1) and targets (3,)",),
    ),
    (
        "column-targets",
        "F.binary_cross_entropy(torch.rand(3), torch.ones(3, 1))",
        ("Predictions (3,) and targets (3, 1)",),
    ),
    (
        "any-filler-works",
        "F.cross_entropy(torch.randn(2, 3), torch.tensor([0, -1]))",
        ("3 classes, 0 to 2", "label -1", "now -100"),
    ),
    (
        "any-filler-works",
        "F.cross_entropy(torch.randn(2, 3, 5), torch.full((2, 5), 3))",
        ("3 classes, 0 to 2", "label 3"),
    ),
    (
        "any-target-dtype",
        "F.cross_entropy(torch.randn(2, 3), torch.tensor([0, 1]).int())",
        ("int64", "these are Int"),
    ),
    (
        "any-target-dtype",
        "F.binary_cross_entropy_with_logits(torch.randn(2), torch.tensor([0, 1]))",
        ("these are Long",),
    ),
    (
        "any-target-dtype",
        "F.binary_cross_entropy(torch.rand(2), torch.tensor([0, 1]))",
        ("these are Long",),
    ),
    (
        "class-weights-scale",
        "F.cross_entropy(torch.randn(2, 3), torch.tensor([0, 1]), weight=torch.ones(2))",
        ("3 classes and there are 2 weights",),
    ),
    ("one-default-f1", "metrics.f1_score([0, 1, 2], [0, 1, 1])", ("3 classes", "average='macro'")),
    (
        "padded-tags-into-sklearn",
        "y = np.array([[0, 1, 2], [1, 0, 0]])\nmetrics.accuracy_score(y, y)",
        ("2 x 3", "3 tasks"),
    ),
    (
        "padded-tags-into-sklearn",
        "y = np.array([[0, 1, 2], [1, 0, 0]])\nmetrics.confusion_matrix(y, y > 0)",
        ("2 x 3",),
    ),
    (
        "classes-last-in-torchmetrics",
        "f1 = torchmetrics.F1Score(task='multiclass', num_classes=4)\n"
        "f1(torch.randn(3, 5, 4), torch.ones(3, 5).long())",
        ("(3, 5, 4)", "num_classes=4", "(3, 4, 5)"),
    ),
}

# Need a GPU: the exception is made here, with PyTorch's documented text.
NOT_RAISED_FOR_REAL: list[Case] = [
    (
        "cudnn-eval-backward",
        "raise RuntimeError('cudnn RNN backward can only be called in training mode')",
        ("eval mode", "cudnn.flags(enabled=False)"),
    ),
    (
        "seeding-is-enough",
        "raise RuntimeError('Deterministic behavior was enabled with either "
        "`torch.use_deterministic_algorithms(True)` or "
        "`at::Context::setDeterministicAlgorithms(true)`, but this operation is not deterministic "
        "because it uses CuBLAS and you have CUDA >= 10.2. To enable deterministic behavior in "
        "this case, you must set an environment variable before running your PyTorch application: "
        "CUBLAS_WORKSPACE_CONFIG=:4096:8 or CUBLAS_WORKSPACE_CONFIG=:16:8.')",
        ("CUBLAS_WORKSPACE_CONFIG=:4096:8",),
    ),
    (
        "lengths-on-the-gpu",
        "raise RuntimeError(\"'lengths' argument should be a 1D CPU int64 tensor, but got 1D "
        'cuda:0 Long tensor")',
        ("on cuda:0",),
    ),
    (
        "h-0-follows-the-model",
        "raise RuntimeError('Input and hidden tensors are not at the same device, found input "
        "tensor at cuda:0 and hidden tensor at cpu')",
        ("on cuda:0 and the state on cpu",),
    ),
]

# Older wording or another type of exception, raised where the real one is raised.
OTHER_VERSIONS: list[Case] = [
    (
        "h-0-batch-first",
        "class Old(nn.GRU):\n"
        "    def check_hidden_size(self, hx, expected, msg=''):\n"
        "        got = tuple(hx.shape)\n"
        "        raise ValueError(f'Expected hidden size {tuple(expected)}, got {got}')\n"
        "Old(4, 6, bidirectional=True, batch_first=True)(x, torch.zeros(3, 2, 6))",
        ("(2, 3, 6), and (3, 2, 6) came",),
    ),
    (
        "any-dtype-goes",
        "class Old(nn.GRU):\n"
        "    def forward(self, input, hx=None):\n"
        "        raise RuntimeError('expected scalar type Float but found Double')\n"
        "Old(4, 6)(x.double())",
        ("torch.float64",),
    ),
    (
        "ids-into-the-rnn",
        "class Old(nn.GRU):\n"
        "    def check_input(self, input, sizes):\n"
        "        raise ValueError('input must have the type torch.float32, '\n"
        "                         'got type torch.int64')\n"
        "Old(5, 6)(torch.randint(9, (3, 5)))",
        ("int64", "nn.Embedding"),
    ),
    (
        "next-layer-takes-hidden-size",
        "gru = nn.GRU(4, 6, bidirectional=True)\n"
        "class Old(nn.GRU):\n"
        "    def check_input(self, input, sizes):\n"
        "        raise ValueError('input.size(-1) must be equal to input_size. '\n"
        "                         'Expected 6, got 12')\n"
        "Old(6, 6)(gru(x)[0])",
        ("got 12 = 2 x 6",),
    ),
]

RNN = "rnn = nn.LSTM(4, 6, bidirectional=True, batch_first=True); out, (h, c) = rnn(x)\n"

# Nothing to do with a known misconception; with and without an RNN in sight.
UNRELATED = [
    "1 / 0",
    "undefined_name",
    "int('twelve')",
    "{}['key']",
    "[1, 2][5]",
    "'a' + 1",
    "None.shape",
    "(1, 2).shape",
    "a, b = 1, 2, 3",
    "a, b = [1]",
    "a, (b, c) = (1, [2])",
    "import no_such_module",
    "open('/no/such/file')",
    "assert False, 'no'",
    "raise KeyboardInterrupt",
    "raise SystemExit(3)",
    "raise StopIteration",
    "raise ValueError",
    "raise ValueError(None)",
    "(1, 2)[0, 1]",
    "(1, 2) * 2.0",
    "[3] * 2.5",
    "len(5)",
    "max([])",
    "b'\\xff'.decode('utf-8')",
    "raise RecursionError('maximum recursion depth exceeded')",
    "def f(a):\n    pass\nf(1, 2)",
    "np.zeros((2, 3)) @ np.zeros((2, 3))",
    "np.zeros(3)[7]",
    "np.zeros((2, 3)) + np.zeros((4, 5))",
    "np.reshape(np.zeros(6), (4, 2))",
    "np.array([[1, 2], [3]])",
    "torch.zeros(2, 3) @ torch.zeros(2, 3)",
    "torch.zeros(3)[7]",
    "torch.zeros(2, 3) + torch.zeros(4, 5)",
    "torch.zeros(6).view(4, 2)",
    "torch.zeros(2, 3).t().view(-1)",
    "torch.cat([torch.zeros(2, 3), torch.zeros(2, 4)], 0)",
    "torch.stack([torch.zeros(3, 4), torch.zeros(3, 5)])",
    "nn.Linear(6, 2)(torch.zeros(3, 5))",
    "nn.Linear(6, 2)(torch.zeros(3, 12))",
    "nn.Linear(6, 2)(torch.zeros(3, 6).double())",
    "nn.Linear(6, 2)((torch.zeros(3, 6), 1))",
    "nn.Linear(6, 2)([1, 2])",
    "nn.Conv2d(3, 8, 3)(torch.zeros(2, 4, 9, 9))",
    "nn.BatchNorm1d(4)(torch.zeros(1, 4))",
    "nn.Dropout(2)",
    "torch.zeros(2, requires_grad=True).numpy()",
    "torch.zeros(3).backward()",
    "w = torch.ones(2, requires_grad=True)\nl = (w * w).sum()\nl.backward()\nl.backward()",
    "torch.tensor([[1, 2], [3]])",
    "torch.zeros(2).item()",
    "if torch.zeros(2) > 0: pass",
    "torch.load('/no/such/model.pt')",
    "nn.Linear(2, 3).load_state_dict({'weight': torch.zeros(9)})",
    "F.mse_loss(torch.zeros(2, 3), torch.zeros(4, 5))",
    "F.cross_entropy(torch.zeros(4, 3), torch.zeros(7).long())",
    "F.binary_cross_entropy_with_logits(torch.zeros(3), torch.zeros(4))",
    "F.embedding('a', torch.zeros(2, 2))",
    "metrics.accuracy_score([0, 1], [0, 1, 1])",
    "metrics.accuracy_score([0, 1], [0.2, 0.7])",
    "torch.zeros(4, 5).gather(1, torch.tensor([[9]]))",
    "torch.einsum('ij,jk', torch.zeros(2, 3), torch.zeros(4, 5))",
    # an RNN is there, and the mistake is another
    RNN + "nn.Linear(5, 2)(out)",
    RNN + "nn.Linear(24, 2)(out)",
    RNN + "out[9, 0]",
    RNN + "torch.zeros(5)[5]",
    RNN + "torch.zeros(3, 5, 7) * torch.zeros(4, 6)",
    RNN + "out.view(7, -1)",
    RNN + "torch.zeros(2, 3).t().view(-1)",
    RNN + "out.transpose(1, 2).view(3, -1)",
    RNN + "torch.zeros(3, 12, 5).transpose(1, 2).view(15, 12)",
    RNN + "a, (b, c) = [1, [2]]",
    RNN + "(1, 2).shape",
    RNN + "F.cross_entropy(torch.zeros(4, 3), torch.zeros(7).long())",
    RNN + "F.cross_entropy(torch.zeros(4, 3, 2), torch.zeros(4, 9, 9).long())",
    RNN + "rnn(torch.randn(3, 5, 9))",
    RNN + "rnn()",
    RNN + "rnn.no_such_attribute",
    RNN + "rnn.load_state_dict({})",
    RNN + "w = torch.ones(2)\nw.backward()",
]
