"""An explorable on a page of its own, opened from the disk: no kernel, no network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page

from birnn_course.widgets import CourseWidget, classic

PAGE = """<!doctype html>
<html lang="en" data-theme="{theme}"><head><title>{name}</title>
<meta name="viewport" content="width=device-width">
<style>body {{ margin: 8px; font-family: sans-serif; background: {ground}; color: {ink};
--jp-layout-color1: {ground}; --jp-content-font-color1: {ink}; }} {style}</style></head>
<body><main><h1>{name}</h1><div id="here"></div></main>
<script>{script}
const kept = {values};
birnn.{name}({{ el: document.getElementById("here"), model: {{
    get: name => kept[name], set(name, value) {{ kept[name] = value; }}, save_changes() {{}},
}} }});
</script></body></html>"""
COLOURS = {"light": ("#ffffff", "#1a1a1e"), "dark": ("#111114", "#ececf0")}


def opened_alone(
    page: Page,
    folder: Path,
    explorer: CourseWidget,
    name: str,
    scripts: Sequence[Path],
    traits: Sequence[str],
    theme: str = "light",
) -> Page:
    """Open it; ``traits`` are what its script asks for."""
    ground, ink = COLOURS[theme]
    file = folder / f"{name}.html"
    text = PAGE.format(
        name=name,
        theme=theme,
        ground=ground,
        ink=ink,
        style=explorer._css,
        script=classic(name, *scripts),
        values=json.dumps({trait: getattr(explorer, trait) for trait in traits}),
    )
    file.write_text(text, encoding="utf-8")
    page.context.set_offline(True)
    page.goto(file.as_uri())
    return page
