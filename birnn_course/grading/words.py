"""Words that the grader's sentences share."""


def counted(number: int, noun: str) -> str:
    """``1 notebook``, ``2 notebooks``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
