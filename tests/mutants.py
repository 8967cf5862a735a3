"""Small changes to a right solution that should make it wrong: fixed operators over its tree."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

MOST_STEPS = 100  # of `while`; what `for` goes through has an end
TURNED: dict[type, tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
OPPOSITE = {"min": "max", "amin": "amax", "argmin": "argmax", "any": "all", "mean": "sum"}
OPPOSITE |= {right: left for left, right in OPPOSITE.items()}
BARE = {"sorted", "reversed", "abs", "max", "min", "set", "list"}
MODULES = {"torch", "nn", "F", "functional", "math", "statistics"}


@dataclass(frozen=True)
class Mutant:
    """A solution with one change; ``space`` is what its source finds when it runs."""

    change: str
    source: str
    name: str
    space: dict[str, Any]

    @property
    def hash(self) -> str:
        return hashlib.sha256(self.source.encode()).hexdigest()[:12]

    def function(self) -> Callable[..., Any]:
        """The function; a call ends after so many turns of its loops, however long they take."""
        taken = [0]
        tree = ast.parse(self.source)
        for loop in ast.walk(tree):
            if isinstance(loop, ast.While):
                loop.body[:0] = ast.parse("_taken[0] += 1\nassert _taken[0] <= _most").body
        space = self.space | {"_taken": taken, "_most": MOST_STEPS}
        exec(compile(ast.fix_missing_locations(tree), "<mutant>", "exec"), space)

        def call(*arguments: Any) -> Any:
            taken[0] = 0
            return space[self.name](*arguments)

        return call


def of_source(source: str, name: str, space: dict[str, Any]) -> Iterator[Mutant]:
    """Mutants of all that is defined in a source, each once."""
    tree = ast.parse(source)
    for part in ast.walk(tree):  # types, docstrings and ``strict`` decide nothing
        if isinstance(part, ast.FunctionDef):
            part.returns = None
            part.body = part.body[ast.get_docstring(part) is not None :]
        elif isinstance(part, ast.arg | ast.AnnAssign):
            part.annotation = None if isinstance(part, ast.arg) else ast.Name("object")
        elif isinstance(part, ast.Call):
            part.keywords = [k for k in part.keywords if k.arg != "strict"]
    known = {ast.unparse(tree)}
    for parent in list(ast.walk(tree)):
        for field, value in list(ast.iter_fields(parent)):
            nodes = value if isinstance(value, list) else [value]
            for i, node in enumerate(nodes):
                for new in _changes(node):
                    changed = [*nodes[:i], new, *nodes[i + 1 :]]
                    setattr(parent, field, changed if isinstance(value, list) else new)
                    text = ast.unparse(ast.fix_missing_locations(tree))
                    if text not in known:
                        known.add(text)
                        change = f"{ast.unparse(node)} -> {ast.unparse(new)}"
                        yield Mutant(" ".join(change.split()), text, name, space)
            setattr(parent, field, value)


def _changes(node: Any) -> Iterator[Any]:
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]):  # turned, or blind for order
            yield from (_with(node, ops=[other()]) for other in TURNED.get(type(op), ()))
            if isinstance(op, ast.In | ast.NotIn | ast.Eq | ast.NotEq):
                inside = "map(sorted, {})" if isinstance(op, ast.In | ast.NotIn) else "sorted({})"
                blind = f"sorted({ast.unparse(left)})", inside.format(ast.unparse(right))
                one, other = (ast.parse(text, mode="eval").body for text in blind)
                yield _with(node, left=one, comparators=[other])
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):  # a size, an edge, an axis
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield from (ast.Constant(2 * value or 1.0), ast.Constant(value / 2 or -1.0))
        case ast.Constant(value=str(value)) if value:
            yield ast.Constant("-10" if value == "-inf" else "")
        case ast.Slice():
            yield from (_with(node, **{f: None}) for f, edge in ast.iter_fields(node) if edge)
        case ast.BinOp(left=left, op=op, right=right):  # a term left out
            yield from (left, right)
            if type(op) in SWAPPED:
                yield _with(node, op=SWAPPED[type(op)]())
        case ast.BoolOp(op=op, values=values):
            yield _with(node, op=SWAPPED[type(op)]())
            yield from (_with(node, values=_less(values, i)) for i in range(len(values)))
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.IfExp(body=body, orelse=orelse):
            yield from (body, orelse)
        case ast.If():
            yield from (_with(node, test=ast.Constant(on)) for on in (True, False))
        case ast.Call(func=func, args=args, keywords=keywords):
            if isinstance(func, ast.Attribute) and ast.unparse(func.value) not in MODULES:
                yield func.value
            if isinstance(func, ast.Name) and func.id in BARE and len(args) == 1:
                yield args[0]
            yield from (_with(node, keywords=_less(keywords, i)) for i in range(len(keywords)))
            yield from (_with(node, args=_turned(args, i)) for i in range(len(args) - 1))
        case ast.Name(id=word, ctx=ast.Load()) if word in OPPOSITE:
            yield _with(node, id=OPPOSITE[word])
        case ast.Attribute(attr=word, ctx=ast.Load()) if word in OPPOSITE:
            yield _with(node, attr=OPPOSITE[word])
        case ast.List(elts=parts, ctx=ast.Load()) | ast.Tuple(elts=parts, ctx=ast.Load()):
            yield from (_with(node, elts=_less(parts, i)) for i in range(len(parts)))
            yield from (_with(node, elts=_turned(parts, i)) for i in range(len(parts) - 1))
        case ast.comprehension(ifs=[_, *_]):
            yield _with(node, ifs=[])
        case ast.Assign() | ast.AugAssign() | ast.Expr() | ast.Break():
            yield ast.Pass()


def _with(node: Any, **fields: Any) -> Any:
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})


def _less(items: list[Any], i: int) -> list[Any]:
    return items[:i] + items[i + 1 :]


def _turned(items: list[Any], i: int) -> list[Any]:
    return [*items[:i], items[i + 1], items[i], *items[i + 2 :]]
