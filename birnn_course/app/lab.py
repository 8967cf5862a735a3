"""Start JupyterLab on a working copy: no news prompt, the right notebook, its table of contents."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from birnn_course import files
from birnn_course.course import learner_notebooks
from birnn_course.errors import CourseError

_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {"autoStartDefaultKernel": True},
}

# A line holds about 75 characters, as an average letter is narrower than the digit that 1ch is.
_STYLE = """\
.jp-Notebook .jp-RenderedMarkdown :is(p, ul, ol, blockquote, h1, h2, h3, h4) { max-width: 61ch; }
.jp-Notebook .jp-RenderedMarkdown :is(p, li) { line-height: 1.6; }
.jp-Notebook .jp-MarkdownCell .jp-RenderedMarkdown { --jp-content-font-size1: 15px; }
"""

_WORKSPACE = "birnn-course"
_CONTENTS = "@jupyterlab/toc:plugin"  # the table of contents, as the layout knows it


def command(
    folder: Path, *, browser: bool, port: int | None, more: tuple[str, ...], first: str = ""
) -> list[str]:
    """The command line that starts JupyterLab in ``folder``, with the notebook ``first`` in front.

    Settings and window layout live in the course's own folder; neither the environment nor the
    user's own Jupyter configuration is touched.

    Raises
    ------
    CourseError
        If ``port`` is given and taken.
    """
    if port is not None:
        _check_free(port)
    first = first or learner_notebooks()[0]
    settings, user_settings, workspaces = _folders()
    files.write_atomic(settings / "overrides.json", json.dumps(_SETTINGS))
    files.write_atomic(settings / "custom.css", _STYLE)
    _write_first_layout(workspaces, first)
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--ServerApp.root_dir={folder.absolute()}",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.user_settings_dir={user_settings}",
        f"--LabApp.workspaces_dir={workspaces}",
        # JupyterLab's own place for a style is in the user's configuration, which is not ours.
        "--LabApp.custom_css=True",
        f"--ServerApp.tornado_settings={ {'static_custom_path': [str(settings)]} }",
        f"--LabApp.default_url=/lab/workspaces/{_WORKSPACE}/tree/{first}",
        *([] if browser else ["--no-browser"]),
        *([] if port is None else [f"--port={port}", "--ServerApp.port_retries=0"]),
        # JupyterLab refuses to run as root, which is who one is in most containers.
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        *more,
    ]


def start(command: list[str]) -> int:
    """Run JupyterLab until it ends; returns its exit code."""
    if os.name == "posix":
        # This process becomes JupyterLab, so Ctrl-C and kill reach it directly.
        sys.stdout.flush()
        sys.stderr.flush()
        os.execv(command[0], command)
    return subprocess.call(command)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name == "posix":  # as JupyterLab does: a port in TIME_WAIT is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CourseError(
                f"port {port} is taken or not allowed; choose another with --port, "
                "or leave --port out."
            ) from None


def _folders() -> tuple[Path, Path, Path]:
    """Folders for our settings, the learner's settings, and the window layout."""
    names = ("lab-settings", "lab-user-settings", "lab-workspaces")
    try:
        return _make(files.home(), names)
    except OSError:
        print(f"birnn: cannot write in {files.home()}; JupyterLab's settings are not kept.")
        return _make(Path(tempfile.mkdtemp(prefix="birnn-")), names)


def _make(parent: Path, names: tuple[str, str, str]) -> tuple[Path, Path, Path]:
    first, second, third = (parent / name for name in names)
    for folder in (first, second, third):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # exists, but can it be written?
    return first, second, third


def _write_first_layout(workspaces: Path, notebook: str) -> None:
    """The notebook with its table of contents, unless the learner has a layout already."""
    from jupyterlab_server.workspaces_handler import WorkspacesManager

    if any(workspaces.iterdir()):
        return
    layout = {
        "main": {
            "dock": {"type": "tab-area", "currentIndex": 0, "widgets": [f"notebook:{notebook}"]},
            "current": f"notebook:{notebook}",
        },
        "left": {
            "collapsed": False,
            "visible": True,
            "current": _CONTENTS,
            "widgets": ["filebrowser", "running-sessions", _CONTENTS],
        },
        "right": {"collapsed": True, "visible": True, "widgets": []},
        "relativeSizes": [0.22, 0.78, 0],
    }
    workspace = {
        "data": {
            "layout-restorer:data": layout,
            f"notebook:{notebook}": {"data": {"path": notebook, "factory": "Notebook"}},
        },
        "metadata": {"id": _WORKSPACE},
    }
    WorkspacesManager(str(workspaces)).save(_WORKSPACE, json.dumps(workspace))
