"""The wheel, built from the sdist, works outside the clone; neither holds what it should not."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from patience import PATIENCE, soon

from birnn_course.course import learner_notebooks, masters, notebooks_folder

ROOT = Path(__file__).resolve().parent.parent
ABSOLUTE_PATH = re.compile(rb"(?<![\w.}])/(?:home|root|Users|work|build|tmp)/[\w.]")


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, **options
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of what git tracks (or will), and the wheel built from it."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in tracked():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, source)
    return out


def tracked() -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in names if (ROOT / name).is_file()]


def contents(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for name in wheel.namelist():
                yield name, wheel.read(name)
    else:
        with tarfile.open(archive) as sdist:
            for member in sdist.getmembers():
                file = sdist.extractfile(member)
                if file:
                    yield member.name, file.read()


def test_the_wheel_holds_the_package_and_the_notebooks_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name, _ in contents(wheel)}
    package = {name for name in tracked() if name.startswith("birnn_course/")}
    shipped = {f"birnn_course/_notebooks/{name}" for name in learner_notebooks()}
    shipped |= {f"birnn_course/_solutions/{name}" for name in masters()}
    assert {name for name in names if ".dist-info/" not in name} == package | shipped


def test_the_sdist_holds_what_the_repository_holds(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    names = {name.split("/", 1)[1] for name, _ in contents(sdist)}
    assert names - {"PKG-INFO"} == set(tracked())


@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_neither_holds_a_path_of_a_machine(built: Path, kind: str) -> None:
    (archive,) = built.glob(kind)
    found = {
        name: ABSOLUTE_PATH.search(data)
        for name, data in contents(archive)
        if "/tests/" not in name and ABSOLUTE_PATH.search(data)
    }
    assert found == {}


def test_a_path_of_a_machine_would_be_found() -> None:
    assert ABSOLUTE_PATH.search(b"file: /home/ada/course")
    assert not ABSOLUTE_PATH.search(b"https://example.org/home/ada")


def test_the_licence_is_stated(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    files = dict(contents(wheel))
    metadata = next(data.decode() for name, data in files.items() if name.endswith("/METADATA"))
    assert "License-Expression: MIT AND CC-BY-4.0" in metadata
    assert "License-File: LICENSE\n" in metadata
    assert "License-File: LICENSE-TEXT" in metadata


def python_of(environment: Path) -> Path:
    return environment / ("Scripts" if os.name == "nt" else "bin") / "python"


def borrow_packages(environment: Path) -> None:
    """Let an empty environment see our packages, but not our own editable install.

    Python reads no .pth files in a folder that a .pth file names, and the editable install is one.
    """
    ours = sysconfig.get_path("purelib")
    python = python_of(environment)
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = Path(run(python, "-c", code).stdout.strip())
    (theirs / "borrowed.pth").write_text(ours)


def opens(environment: Path, folder: Path, port: int) -> str:
    """Start ``birnn lab`` there and return the page that answers at the lesson's address."""
    home = folder / "home"
    ours = ("PYTHON", "BIRNN", "JUPYTER")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = f"birnn lab --no-browser --port {port} -- --IdentityProvider.token=test".split()
    process = subprocess.Popen(
        [python_of(environment).with_name(command[0]), *command[1:]],
        cwd=folder,
        env={**clean, "BIRNN_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    url = f"http://127.0.0.1:{port}/api/contents/{learner_notebooks()[0]}?content=0&token=test"
    try:
        pages: list[str] = []

        def answers() -> bool:
            assert process.poll() is None, process.stdout and process.stdout.read()
            with suppress(OSError), urllib.request.urlopen(url) as answer:
                pages.append(answer.read().decode())
            return bool(pages)

        assert soon(answers), "JupyterLab does not answer"
        return pages[0]
    finally:
        process.terminate()
        process.wait(PATIENCE)


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    run(sys.executable, "-m", "venv", tmp_path / "environment")
    borrow_packages(tmp_path / "environment")
    return tmp_path / "environment"


def test_installed_from_the_wheel_it_opens_outside_the_clone(
    built: Path, environment: Path, tmp_path: Path, free_port: int
) -> None:
    (wheel,) = built.glob("*.whl")
    run(python_of(environment), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", wheel)
    where = "import birnn_course.course as c; print(c.notebooks_folder())"
    folder = Path(run(python_of(environment), "-c", where, cwd=tmp_path).stdout.strip())
    assert folder.is_relative_to(environment)
    assert sorted(p.name for p in folder.iterdir()) == sorted(learner_notebooks())
    assert learner_notebooks()[0] in opens(environment, tmp_path, free_port)
    copy = nbformat.read(tmp_path / "birnn-lab" / learner_notebooks()[0], as_version=4)
    assert all(not cell.get("outputs") for cell in copy.cells)


@pytest.mark.full  # every test runs in one
def test_an_editable_install_reads_the_clones_notebooks(
    environment: Path, tmp_path: Path, free_port: int
) -> None:
    install = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable")
    run(python_of(environment), *install, ROOT)
    assert notebooks_folder() == ROOT / "notebooks"
    assert not (ROOT / "birnn_course" / "_notebooks").exists()
    assert learner_notebooks()[0] in opens(environment, tmp_path, free_port)
