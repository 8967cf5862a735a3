"""Put the learner's notebooks into the wheel, as ``birnn_course/_notebooks``, and the solutions.

``birnn lab`` copies the notebooks from there when there is no clone, and ``check`` a solution once
it is earned. An editable install reads the clone's folders instead and gets no second copy.
"""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ShipNotebooks(BuildHookInterface):
    """Adds the notebooks that course.py lists."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Runs before each build; ``version`` is ``standard`` or ``editable``."""
        if version == "editable":
            return
        root = Path(self.root)
        course = runpy.run_path(str(root / "birnn_course" / "course.py"))
        for folder, listed in (("notebooks", "learner_notebooks"), ("solutions", "masters")):
            for name in course[listed]():
                build_data["force_include"][str(root / folder / name)] = (
                    f"birnn_course/_{folder}/{name}"
                )
