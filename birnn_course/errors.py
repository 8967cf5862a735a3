"""How the course says that something is wrong: one sentence that tells what to do next."""


class CourseError(Exception):
    """A problem the reader can mend. Its text is the whole message.

    A notebook shows the sentence without a traceback (IPython asks an exception for
    ``_render_traceback_``), and the ``birnn`` command prints it and ends with exit code 1.
    """

    def _render_traceback_(self) -> list[str]:
        return [f"birnn_course: {self}"]
