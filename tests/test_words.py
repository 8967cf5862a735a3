"""Identifiers say what the field says: words that were retired do not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from birnn_course.exercises import EXERCISES

ROOT = Path(__file__).parent.parent
FOLDERS = ("birnn_course", "tests", "tools", "benchmarks")
RETIRED = (
    "prison", "inmate", "imprisoned", "leash", "collar", "walls",
    "whole", "told", "given", "said", "both_ways",
)  # fmt: skip
_NAMES = ("name", "asname", "id", "attr", "arg", "module", "rest")  # fields of nodes


def retired_in(source: str) -> list[str]:
    """Each identifier in which a retired word stands, alone or between underscores.

    What a learner writes is left out, the functions of the exercises with their parameters, and so
    are the names of tests, which are sentences.
    """
    return sorted(filter(_is_retired, {*_identifiers(source)}))


def _identifiers(source: str) -> Iterator[str]:
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.FunctionDef) and node.name in EXERCISES:
            continue
        for field in _NAMES:
            yield from (getattr(node, field, None) or "").split(".")
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names
        nodes += ast.iter_child_nodes(node)


def _is_retired(name: str) -> bool:
    if name.lower() in EXERCISES or name.startswith("test_"):
        return False
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return any(f"_{word}_" in f"_{words}_" for word in RETIRED)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_identifier_has_a_retired_word(folder: str) -> None:
    sources = [path for path in (ROOT / folder).rglob("*.py*") if path.suffix in (".py", ".pyi")]
    assert len(sources) > 1
    found = {
        str(path.relative_to(ROOT)): names
        for path in sources
        if (names := retired_in(path.read_text(encoding="utf-8")))
    }
    assert found == {}
    assert not [path for path in sources if _is_retired(path.stem)]


@pytest.mark.parametrize(
    "source",
    [
        "{0} = 1",
        "_{0} = 1",
        "a_{0}_b: int",
        "self.{0} = 1",
        "f({0}=1)",
        "f'{{{0}}}'",
        "def {0}(): ...",
        "async def f_{0}(): ...",
        "def f(a, *{0}): ...",
        "lambda {0}: 1",
        "class {1}: ...",
        "class An{1}: ...",
        "class {1}Error(Exception): ...",
        "{2} = 1",
        "import {0}.path",
        "from a.{0} import b",
        "from a import b as {0}",
        "try: ...\nexcept E as {0}: ...",
        "def f():\n    global {0}",
        "match x:\n    case [*{0}]: ...",
        "match x:\n    case {{**{0}}}: ...",
    ],
)
def test_a_retired_word_is_found(source: str) -> None:
    for word in RETIRED:
        camel = word.title().replace("_", "")
        assert retired_in(source.format(word, camel, word.upper())), word


@pytest.mark.parametrize(
    "source",
    [
        "'said, and told'  # given",
        "wholesale, forgiven, the_collars, walled = 1, 2, 3, 4",
        "def test_it_is_said(): ...",
        "READ_BOTH_WAYS = read_both_ways",
        "def words_wrong(said, listed):\n    return said",
    ],
)
def test_what_is_no_such_identifier_stays(source: str) -> None:
    assert retired_in(source) == []
