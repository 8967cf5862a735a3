"""The benchmarks run, and what they promise holds."""

from __future__ import annotations

import sys
import time

import pytest
import viewers

from birnn_course.explore.panel import Panel, View, Whole


@pytest.mark.timing
def test_every_viewer_follows_within_200_ms(capsys: pytest.CaptureFixture[str]) -> None:
    assert viewers.main() == 0, capsys.readouterr().out
    sys.stdout.write(capsys.readouterr().out)


def test_every_control_is_moved() -> None:
    for panel in viewers.viewers().values():
        start, moves = panel.values, list(viewers.moves(panel))
        assert {key for values in moves for key in start if values[key] != start[key]} == set(start)


def test_a_slow_viewer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def draw(n: int) -> View:
        time.sleep(0.25 if n == 2 else 0)
        return View("", "")

    def slow() -> Panel:
        return Panel("Slow", [Whole("n", "n", 0, 2)], {"n": 0}, draw)

    monkeypatch.setattr(viewers, "viewers", lambda: {"slow": slow()})
    assert viewers.main() == 1
