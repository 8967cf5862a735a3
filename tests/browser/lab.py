"""Jupyter in a process of its own, and what a test does with its page."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from patience import PATIENCE, soon
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect

from conftest import ROOT

TOKEN = "test"
WINDOW: ViewportSize = {"width": 1280, "height": 900}
SCRATCH = "scratch.ipynb"
SCREENSHOTS = ROOT / "test-results"
# Some of these promises are never kept, as while a dialog asks for a kernel.
KERNEL_READY = """path => {
    const ready = async () => {
        const app = window.jupyterapp;
        if (!app) return false;
        await app.restored;
        const panel = app.shell.currentWidget;
        if (!panel || !panel.context || (path && panel.context.path !== path)) return false;
        await panel.context.ready;
        await panel.sessionContext.ready;
        const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
        return Boolean(kernel && kernel.status === 'idle');
    };
    return Promise.race([ready(), new Promise(done => setTimeout(() => done(false), 1000))]);
}"""

# Where the last cell of a notebook ends, and how far the notebook is seen, once both have stayed
# the same for half a second. Below the last cell JupyterLab leaves a window's height free.
SETTLED = """async node => {
    const now = () => {
        const top = node.getBoundingClientRect().top;
        const end = [...node.querySelectorAll('.jp-Cell')].pop().getBoundingClientRect().bottom;
        return [Math.ceil(end - top) + node.scrollTop, node.clientHeight, node.scrollTop];
    };
    for (let before, same = 0; same < 5; same = String(now()) === before ? same + 1 : 0) {
        before = String(now());
        node.scrollTop = 0;
        await new Promise(done => setTimeout(done, 100));
    }
    return now().slice(0, 2);
}"""


def new_page(browser: Browser, **options: Any) -> Page:
    """A page in a context of its own, which waits with patience; ``options`` are the context's."""
    context = browser.new_context(**{"viewport": WINDOW, **options})
    context.set_default_timeout(1000 * PATIENCE)
    return context.new_page()


class Server:
    """A running Jupyter, with settings, kernels' folders and a home of its own.

    Parameters
    ----------
    folder : Path
        Everything it writes is in here.
    port : int
        Where it will listen.
    command : list of str
        Starts it there; the token is appended.
    environment : mapping of str to str
        Added to the environment of the tests.
    """

    def __init__(
        self, folder: Path, port: int, command: list[str], environment: dict[str, str]
    ) -> None:
        self.url = f"http://127.0.0.1:{port}"
        own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        self._log = (folder / "server.log").open("w+")
        self._process = subprocess.Popen(
            [*command, f"--IdentityProvider.token={TOKEN}"],
            env={
                **os.environ,
                **{name: str(folder / name.lower()) for name in own},
                "BIRNN_HOME": str(folder / "home"),
                **environment,
            },
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def ask(self, path: str, method: str = "GET") -> str:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode())

    def wait(self) -> None:
        def answers() -> bool:
            assert self._process.poll() is None, self.log()
            with contextlib.suppress(OSError):
                return bool(self.ask("/api/status"))
            return False

        assert soon(answers), f"Jupyter does not answer\n{self.log()}"

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def end_kernels(self, but: str = "") -> None:
        """They outlive their page; the one of the notebook ``but`` is used again."""
        for session in json.loads(self.ask("/api/sessions")):
            if session["path"] != but:
                self.ask(f"/api/sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()


def write_scratch(folder: Path) -> None:
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    empty = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    nbformat.write(empty, folder / SCRATCH)


class CourseServer(Server):
    """A running ``birnn lab``; its working copy has an empty notebook more."""

    def __init__(self, folder: Path, port: int) -> None:
        self.copy = folder / "birnn-lab"
        self.copy.mkdir()
        write_scratch(self.copy)
        # All cells stay in the page, so that a test can see them.
        settings = folder / "home" / "lab-user-settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
        birnn = str(Path(sys.executable).with_name("birnn"))
        command = [birnn, "lab", str(self.copy), "--no-browser", "--port", str(port), "--"]
        super().__init__(folder, port, [*command, "--LabApp.expose_app_in_browser=True"], {})
        self._layouts = folder / "home" / "lab-workspaces"
        self._first_layout: dict[Path, bytes] = {}

    def wait(self) -> None:
        super().wait()
        self._first_layout = {path: path.read_bytes() for path in self._layouts.iterdir()}

    def restore_layout(self) -> None:
        """The window as it is first opened: a page leaves what it showed when it was last saved."""
        for path, layout in self._first_layout.items():
            path.write_bytes(layout)

    def first_address(self) -> str:
        """The address that ``birnn lab`` opens in a newcomer's browser."""
        return f"{self.url}/?token={TOKEN}"

    def scratch_address(self) -> str:
        """The empty notebook in a window layout of its own."""
        return f"{self.url}/lab/workspaces/scratch/tree/{SCRATCH}?token={TOKEN}"


class Lab:
    """What a test does with the page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server

    def open(self, address: str) -> None:
        self.page.goto(address)
        self.wait_for_kernel()

    def open_notebook(self, name: str) -> None:
        """Open another notebook of the working copy, beside the first."""
        self.command("docmanager:open", path=name)
        self.wait_for_kernel(name)

    def wait_for_kernel(self, path: str = "") -> None:
        # wait_for_function would take a promise for true: ask again ourselves
        ready = soon(lambda: self.page.evaluate(KERNEL_READY, path))
        assert ready, "the notebook's kernel does not become ready"

    def command(self, name: str, **arguments: object) -> None:
        """Run a JupyterLab command and wait until it is done."""
        self.page.evaluate(
            # what a command returns, such as a whole notebook, stays in the page
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def run_all(self) -> None:
        self.command("notebook:run-all-cells")

    def clear(self) -> None:
        """Leave one empty cell, and no other view beside the notebook."""
        self.page.set_viewport_size(WINDOW)
        self.page.evaluate(
            """() => {
                const shell = window.jupyterapp.shell;
                const tabs = [...shell.widgets('main')];
                for (const tab of tabs) if (!tab.context) tab.close();
                const notebook = tabs.find(tab => tab.context);
                shell.activateById(notebook.id);
                const shared = notebook.content.model.sharedModel;
                shared.insertCell(0, {cell_type: 'code', source: ''});
                shared.deleteCellRange(1, shared.cells.length);
            }"""
        )

    def insert_and_run(self, source: str) -> Locator:
        """Put a code cell at the top of the notebook, run it, and return where its output is."""
        self.page.evaluate(
            """source => {
                const content = window.jupyterapp.shell.currentWidget.content;
                content.model.sharedModel.insertCell(0, {cell_type: 'code', source});
                content.activeCellIndex = 0;
            }""",
            source,
        )
        self.command("notebook:run-cell")
        return self.notebook().locator(".jp-CodeCell").first.locator(".jp-OutputArea")

    def insert_markdown(self, source: str) -> None:
        """Put a text at the top of the notebook."""
        self.page.evaluate(
            """source => {
                const content = window.jupyterapp.shell.currentWidget.content;
                content.model.sharedModel.insertCell(0, {cell_type: 'markdown', source});
                content.widgets[0].rendered = true;
            }""",
            source,
        )

    def run_last_code_cell(self) -> None:
        self.page.evaluate(
            """() => {
                const content = window.jupyterapp.shell.currentWidget.content;
                const kinds = content.widgets.map(cell => cell.model.type);
                content.activeCellIndex = kinds.lastIndexOf('code');
            }"""
        )
        self.command("notebook:run-cell")

    def restart_kernel(self) -> None:
        """Restart without the question; everything in memory is gone."""
        self.page.evaluate(
            "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )
        self.wait_for_kernel()

    def errors(self) -> list[str]:
        return (
            self.notebook()
            .locator(
                ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error'], "
                ".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']"
            )
            .all_inner_texts()
        )

    def notebook(self) -> Locator:
        """The notebook in front; those behind it are in the page too."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")

    def set_theme(self, name: str) -> None:
        """Light or Dark."""
        theme = f"JupyterLab {name}"
        if self.page.locator("body").get_attribute("data-jp-theme-name") != theme:
            self.command("apputils:change-theme", theme=theme)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", theme)
        # While the style sheet is fetched, this covers everything.
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def wait_for_widgets(self) -> None:
        """Until the kernel has answered all messages of widgets, and the page has the answers."""
        self.page.evaluate(
            """async () => {
                const session = window.jupyterapp.shell.currentWidget.sessionContext.session;
                await session.kernel.requestExecute({code: '', silent: true}).done;
            }"""
        )

    @contextlib.contextmanager
    def full_height(self) -> Iterator[None]:
        """A window as high as the notebook: what is scrolled away is not seen, nor checked."""
        self.command("application:toggle-left-area")
        scroller = self.notebook().locator(".jp-WindowedPanel-outer")
        for _ in range(50):
            # pictures that arrive and the new window change the layout, which takes its time
            height, room = scroller.evaluate(SETTLED)
            if height <= room:
                break
            self.page.set_viewport_size({**WINDOW, "height": height + 150})
        else:
            raise AssertionError("the notebook does not stop to grow")
        yield
        self.command("application:toggle-left-area")
        self.page.set_viewport_size(WINDOW)

    def screenshot(self, name: str) -> None:
        """A picture of the window, for people to look at."""
        keep_picture(self.page, name)


def keep_picture(page: Page, name: str, full_page: bool = False) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=full_page)
