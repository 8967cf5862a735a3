"""What can be seen inside the sandbox: the command line of bubblewrap."""

from __future__ import annotations

import importlib
import os
import shutil
import site
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

import birnn_course
from birnn_course.errors import CourseError
from birnn_course.sandbox import DEVICES, PRIVATE, SHOWN

_PACKAGE = Path(birnn_course.__file__).resolve().parent
# Programs and libraries of the system, and what finds them. Nothing of /etc that says who is here.
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
_SETTINGS = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/fonts",
             "/etc/alternatives", "/etc/localtime")  # fmt: skip
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "HOME": PRIVATE,
    "TMPDIR": PRIVATE,
    "USER": "student",
    "LANG": "C.UTF-8",
    "BIRNN_HOME": f"{PRIVATE}/birnn",
    "BIRNN_DEVICE": "cpu",
    "IPYTHONDIR": f"{PRIVATE}/ipython",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": f"{PRIVATE}/matplotlib",
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def executable() -> str | None:
    """The path of ``bwrap``, if it is installed."""
    return shutil.which("bwrap")


def require() -> None:
    """Raise a :class:`CourseError` that says what to install, if something is missing."""
    if executable() is None:
        raise CourseError(
            "grading needs bubblewrap, on Linux: install it (Debian and Ubuntu: apt install "
            "bubblewrap), use a Linux container or WSL, or add --no-sandbox if you trust every "
            "submission with your files."
        )
    try:
        importlib.import_module("pyseccomp")
    except ImportError:
        raise CourseError("pyseccomp is missing; run: pip install 'birnn-course[grade]'") from None
    except RuntimeError:  # it looks for the system's library when it is imported
        raise CourseError(
            "libseccomp is missing; install it (Debian and Ubuntu: apt install libseccomp2)."
        ) from None


def command(program: str, hidden: Iterable[Path] = ()) -> list[str]:
    """The beginning of a command line that runs what follows it inside.

    Parameters
    ----------
    program : str
        The path of ``bwrap``.
    hidden : iterable of Path
        What must not be seen even if it lies in a folder that is.
    """
    line = [program, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    line += ["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"]
    line += ["--as-pid-1"]  # else bubblewrap would be there, with the lecturer's environment
    # Forks need to mount and to write their own maps, in namespaces of their own.
    for name, value in environment().items():
        line += ["--setenv", name, value]
    seen = [*filter(Path.exists, map(Path, (*_SYSTEM, *_SETTINGS))), *_python()]
    for path in seen:
        if path.is_symlink() and str(path) in _SYSTEM:
            line += ["--symlink", str(path.readlink()), str(path)]
        else:
            line += ["--ro-bind", str(path), str(path)]
    line += ["--proc", "/proc", "--perms", "0700", "--tmpfs", PRIVATE, "--tmpfs", "/dev"]
    for device in DEVICES:
        line += ["--dev-bind", device, device]
    covered = [*_not_shown(_PACKAGE), *_other_copies(seen), *hidden]
    for path in covered:
        if any(path.is_relative_to(part) for part in seen) and path.exists():
            line += _cover(path)
    for root in ("/dev", "/"):
        line += ["--remount-ro", root]
    return [*line, "--chdir", "/"]


def environment() -> dict[str, str]:
    """All variables that are set inside; nothing of the lecturer's is."""
    return _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(map(str, _import_folders()))}


def _cover(path: Path) -> list[str]:
    if path.is_dir():
        return ["--tmpfs", str(path), "--remount-ro", str(path)]
    return ["--ro-bind", "/dev/null", str(path)]


def _not_shown(package: Path) -> Iterator[Path]:
    """The folders of the course that students' code must not read; a new one until it is named."""
    for path in package.iterdir():
        if path.is_dir() and path.name not in (*SHOWN, "__pycache__"):
            yield path


def _other_copies(seen: Iterable[Path]) -> Iterator[Path]:
    """What knows answers in the course when it is met once more: a clone of it is run that was
    installed before, or a link leads to the same folder.
    """
    packages = "python*/*-packages/"
    for part in seen:
        for between in ("", packages, f"lib/{packages}", f"local/lib/{packages}"):
            for copy in part.glob(f"{between}{_PACKAGE.name}"):
                if copy.resolve() != _PACKAGE:
                    yield copy
                elif copy != _PACKAGE:
                    yield from _not_shown(copy)


def _python() -> Iterator[Path]:
    """The Python that runs, its packages, and the course; each path once, outer folders first."""
    prefixes = {
        Path(sys.prefix),
        Path(sys.base_prefix),
        Path(sys.executable).resolve().parent.parent,
    }
    # Not all of a prefix: it may be somebody's home, or the clone with the solutions.
    parts = ("bin", "lib", "lib64", "pyvenv.cfg")
    folders = {_PACKAGE, *_import_folders(), *(p / part for p in prefixes for part in parts)}
    folders |= {folder.resolve() for folder in folders}
    kept: list[Path] = []
    for folder in sorted(folders, key=lambda path: len(path.parts)):
        inside = [Path(name) for name in _SYSTEM] + kept
        if folder.exists() and not any(folder.is_relative_to(outer) for outer in inside):
            kept.append(folder)
    yield from kept


def _import_folders() -> list[Path]:
    """Where packages are imported from, apart from the folder that a clone of the course is."""
    standard = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib"), *_site_folders()}
    folders = [Path(name) for name in sys.path if name]
    return [
        folder
        for folder in folders
        if folder.is_dir()
        and (str(folder) in standard or folder.name in ("site-packages", "dist-packages"))
    ]


def _site_folders() -> list[str]:
    return [*site.getsitepackages(), site.getusersitepackages()]
