"""How the course says that something is wrong: one sentence that tells what to do next."""


class CourseError(Exception):
    """A problem the reader can mend. Its text is the whole message.

    A notebook shows the sentence without a traceback (IPython asks an exception for
    ``_render_traceback_``), and the ``birnn`` command prints it and ends with exit code 1.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"birnn_course: {self}"]


def message_of(error: BaseException, longest: int = 300) -> str:
    """Kind and text of any exception, in one line, the text cut after so many characters."""
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())
    except Exception:  # an exception of the learner's own may fail at saying what it is
        return name
    text = text if len(text) <= longest else f"{text[:longest]} …"
    return f"{name}: {text}" if text else name
