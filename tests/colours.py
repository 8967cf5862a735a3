"""Which colours our sources name, and how well one is read on another.

Contrast is that of WCAG 2.2 (criteria 1.4.3 and 1.4.11): from 1:1 to 21:1.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from matplotlib.colors import CSS4_COLORS, is_color_like, to_rgb

TEXT, GRAPHIC = 4.5, 3.0
"""The least contrast of text, and of large text or of what a picture is understood by."""

# What CSS can name besides: the system's colours, which the browser chooses in pairs.
SYSTEM = """
    AccentColor AccentColorText ActiveText ButtonBorder ButtonFace ButtonText Canvas CanvasText
    Field FieldText GrayText Highlight HighlightText LinkText Mark MarkText SelectedItem
    SelectedItemText VisitedText
"""
_NAMED = {name.lower(): name for name in (*CSS4_COLORS, *SYSTEM.split())}
_COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b"
    r"|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color|color-mix|light-dark)\([^()]*\)"
    r"|--[\w-]*(?:color|background|border)[\w-]*"
    rf"|(?<![\w-])(?:{'|'.join(_NAMED)})(?![\w-])",
    re.IGNORECASE,
)

RGB = tuple[float, float, float]


class Pair(NamedTuple):
    """A colour, what it stands on, and the least contrast that it needs there."""

    front: str
    ground: str
    least: float = TEXT


def contrast(front: RGB, ground: RGB) -> float:
    """The contrast ratio of two opaque colours."""
    darker, lighter = sorted((_luminance(front), _luminance(ground)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: RGB) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def opaque(colour: str, ground: RGB = (1.0, 1.0, 1.0)) -> RGB:
    """A CSS colour, mixed with what is behind it if it lets that through."""
    found = re.fullmatch(r"rgba?\(([^)]*)\)", colour.strip())
    if not found:
        return to_rgb(colour.strip())
    red, green, blue, *alpha = (float(part) for part in found[1].split(","))
    share = alpha[0] if alpha else 1.0
    mixed = (
        share * c / 255 + (1 - share) * g for c, g in zip((red, green, blue), ground, strict=True)
    )
    return next(mixed), next(mixed), next(mixed)


class Theme:
    """A theme of JupyterLab, from the style sheet that is installed."""

    def __init__(self, style_sheet: Path) -> None:
        text = style_sheet.read_text(encoding="utf-8")
        self._values = dict(re.findall(r"(--[\w-]+)\s*:\s*([^;}]+)", text))

    def value(self, name: str) -> str:
        """What a variable stands for, such as ``--jp-layout-color1``."""
        value = self._values[name].strip()
        while found := re.fullmatch(r"var\((--[\w-]+)(?:,\s*(.*))?\)", value):
            value = self._values.get(found[1], found[2] or "").strip()
        return value

    def contrast(self, pair: Pair) -> float:
        ground = opaque(self.value(pair.ground))
        return contrast(opaque(self.value(pair.front), ground), ground)


def named(path: Path) -> set[str]:
    """The colours that one of our sources names."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".css":
        return in_css(text)
    if path.suffix == ".py":
        return set(_in_python(text))
    styles = re.findall(r"<style[^>]*>(.*?)</style>", text, re.DOTALL)
    return in_css("\n".join([*styles, _inline(text)]))


def _inline(text: str) -> str:
    """What ``style="…"`` and ``node.style.… = …`` hold."""
    found = re.findall(r"""style\s*=\s*"([^"]*)"|\.style\.(\w+\s*=\s*[^;]*)""", text)
    return "\n".join(f"x {{ {a or b.replace('=', ':')} }}" for a, b in found)


def in_css(text: str) -> set[str]:
    """Colours in the values of declarations."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    values = re.findall(r"[\w-]+\s*:\s*([^;{}]+)(?=[;}])", text)
    found = {name for value in values for name in _COLOUR.findall(value)}
    return {_NAMED.get(name.lower(), name.lower()) for name in found}


def _in_python(text: str) -> Iterator[str]:
    """In styles of HTML; and where something is drawn, colours and the shades of a colour map."""
    tree = ast.parse(text)
    draws = re.search(r"^\s*(?:import|from) matplotlib", text, re.MULTILINE)
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if node in docstrings:
            continue
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            value = str(node.value.value)
            if node.arg == "cmap" or ("color" in (node.arg or "") and len(value) == 1):
                yield value
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if re.search(r"(?:color|background|border|outline|fill|stroke)[\w-]*\s*:", node.value):
                yield from in_css(f"x {{ {node.value} }}")
            if draws and len(node.value) > 1 and node.value != "none" and is_color_like(node.value):
                yield node.value.lower()
