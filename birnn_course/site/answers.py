"""The page where readers see what is kept of them, take it along or forget it."""

from __future__ import annotations

from birnn_course.live import your_answers
from birnn_course.site.pages import Page

PATH = "your-answers"
_INTRODUCTION = (
    "What you answered and guessed here is kept in this browser and nowhere else. Take it along as "
    "a file, and the course goes on from it: `birnn progress --import FILE`."
)


def pages() -> list[Page]:
    """The one page."""
    return [
        Page(
            PATH,
            "Your answers",
            f"# Your answers\n\n{_INTRODUCTION}\n\n{your_answers()}\n",
            description="What you answered on these pages, to take along or to forget.",
        )
    ]
