"""For every test and every compared notebook: a home of its own, and its own torch version.

And a cell that demonstrates a misconception is asked whether its two results differ.
"""

from __future__ import annotations

import ast
import atexit
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent
SHARED_CACHE = "BIRNN_TEST_CACHE"
BROWSER = "tests/browser/"


def _temporary_folder() -> Path:
    folder = tempfile.mkdtemp(prefix="birnn-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _fresh_home() -> None:
    os.environ["BIRNN_HOME"] = str(_temporary_folder())


def pytest_configure(config: pytest.Config) -> None:
    if SHARED_CACHE not in os.environ:  # the processes that run tests side by side inherit it
        os.environ[SHARED_CACHE] = str(_temporary_folder())
    os.environ.pop("BIRNN_LESSONS", None)  # what is stored has no links
    _fresh_home()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Each compared notebook starts with an empty home (its first cell has no kernel).

    The words that they align are aligned once for all notebooks: the name of what is kept says
    what it was computed from, so sharing it changes no result.
    """
    if type(item).__name__ != "IPyNbCell" or item.parent is None:
        os.environ.pop("BIRNN_CACHE", None)
    elif getattr(item.parent, "kernel", None) is None:
        os.environ["BIRNN_CACHE"] = os.environ[SHARED_CACHE]
        _fresh_home()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """After a compared cell, in its own kernel: it shows a difference, and what it claims holds."""
    yield
    if type(item).__name__ != "IPyNbCell":
        return
    kernel, promised = item.parent.kernel, item.cell.metadata.get("birnn", {})
    for misconception, pair in promised.get("shows", {}).items():
        same = "__import__('birnn_course.running.snippets', fromlist=['same']).same"
        verdict = _asked(kernel, f"not {same}({pair['wrong']}, {pair['right']})")
        assert verdict == "True", f"{misconception} is not demonstrated: {verdict}"
    for claim in promised.get("claims", []):
        verdict = _asked(kernel, claim)
        assert verdict == "True", f"the claim does not hold: {claim} is {verdict}"
        turned = _asked(kernel, turned_round(claim))
        assert turned == "False", f"the claim says nothing: turned round, {claim} is {turned}"


def _asked(kernel: Any, expression: str) -> str:
    """The value of an expression in a notebook's kernel, which notices nothing of it."""
    reply = kernel.kc.execute(
        "", silent=True, user_expressions={"asked": f"bool({expression})"}, reply=True, timeout=60
    )
    answer = reply["content"]["user_expressions"]["asked"]
    return answer["data"]["text/plain"] if answer["status"] == "ok" else str(answer["evalue"])


def turned_round(claim: str) -> str:
    """A comparison with its sides exchanged: ``a > b + 1`` becomes ``b + 1 > a``."""
    compared = ast.parse(claim, mode="eval").body
    if not isinstance(compared, ast.Compare):
        raise ValueError(f"a claim is a comparison, such as a > b + 1, and not: {claim}")
    sides = [compared.left, *compared.comparators][::-1]
    return ast.unparse(ast.Compare(sides[0], compared.ops[::-1], sides[1:]))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Side by side whole files, and what drives the browser as one: it shares a server."""
    from xdist.scheduler import LoadFileScheduling

    class OneBrowser(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return BROWSER if file.startswith(BROWSER) else file

    return OneBrowser(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Messages of PyTorch are compared only with the version that they were stored with."""
    if installed_torch() == constrained_torch():
        return
    for item in items:
        if type(item).__name__ == "IPyNbCell" and "torch-message" in item.cell.metadata.get(
            "tags", ()
        ):
            item.options["check"] = False


@pytest.fixture(scope="session")
def stored_messages_count() -> bool:
    """Whether messages of PyTorch must be as they are stored."""
    return installed_torch() == constrained_torch()


def installed_torch() -> str:
    return version("torch").partition("+")[0]


def constrained_torch() -> str:
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    found = re.search(r"^torch==(\S+)$", constraints, re.MULTILINE)
    assert found, "constraints.txt names no torch version"
    return found[1]
