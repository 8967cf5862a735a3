"""JupyterLab as ``birnn lab`` starts it, in the system's Chromium.

One server and one browser serve the whole session; each test gets its own browser context, and
its kernels are ended afterwards, since they outlive the page.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from conftest import ROOT, require

TOKEN = "test"
SCREENSHOTS = ROOT / "test-results"
CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KERNEL_READY = """async () => {
    const app = window.jupyterapp;
    if (!app) return false;
    await app.restored;
    const panel = app.shell.currentWidget;
    if (!panel || !panel.context) return false;
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session && panel.sessionContext.session.kernel;
    return Boolean(kernel && kernel.status === 'idle');
}"""


class Server:
    """A running ``birnn lab``, with settings, kernels' folders and working copy of its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.copy = folder / "birnn-lab"
        self.home = folder / "home"
        self.url = f"http://127.0.0.1:{port}"
        own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
        self._environment = {
            **os.environ,
            **{name: str(folder / name.lower()) for name in own},
            "BIRNN_HOME": str(self.home),
        }
        # All cells stay in the page, so that a test can see them.
        settings = self.home / "lab-user-settings" / "@jupyterlab" / "notebook-extension"
        settings.mkdir(parents=True)
        (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}')
        options = f"--no-browser --port {port} -- --LabApp.expose_app_in_browser=True"
        self._log = (folder / "server.log").open("w+")
        self._process = subprocess.Popen(
            [
                *(str(Path(sys.executable).with_name("birnn")), "lab", str(self.copy)),
                *(*options.split(), f"--IdentityProvider.token={TOKEN}"),
            ],
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )

    def ask(self, path: str, method: str = "GET") -> str:
        headers = {"Authorization": f"token {TOKEN}"}
        request = urllib.request.Request(f"{self.url}{path}", method=method, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode())

    def wait(self) -> None:
        for _ in range(120):
            time.sleep(0.5)
            try:
                self.ask("/api/status")
                return
            except OSError:
                assert self._process.poll() is None, self.log()
        raise AssertionError(f"JupyterLab did not answer within 60 s\n{self.log()}")

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def first_address(self) -> str:
        """The address that ``birnn lab`` opens in a newcomer's browser."""
        return f"{self.url}/?token={TOKEN}"

    def end_kernels(self) -> None:
        for session in json.loads(self.ask("/api/sessions")):
            self.ask(f"/api/sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._log.close()


class Lab:
    """What a test does with the page."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page = page
        self.server = server

    def open(self) -> None:
        self.page.goto(self.server.first_address())
        self.page.wait_for_function("() => window.jupyterapp", timeout=60_000)
        self._wait_for_kernel()

    def open_notebook(self, name: str) -> None:
        """Open another notebook of the working copy, beside the first."""
        self.command("docmanager:open", path=name)
        self.page.wait_for_function(
            "name => window.jupyterapp.shell.currentWidget.context.path === name", arg=name
        )
        self._wait_for_kernel()

    def _wait_for_kernel(self) -> None:
        # wait_for_function would take a promise for true: ask again ourselves
        for _ in range(240):
            if self.page.evaluate(KERNEL_READY):
                return
            self.page.wait_for_timeout(250)
        raise AssertionError("the notebook's kernel did not become ready within 60 s")

    def command(self, name: str, **arguments: object) -> None:
        """Run a JupyterLab command and wait until it is done."""
        self.page.evaluate(
            # what a command returns, such as a whole notebook, stays in the page
            "async ([name, args]) => { await window.jupyterapp.commands.execute(name, args); }",
            [name, arguments],
        )

    def run_all(self) -> None:
        self.page.set_default_timeout(300_000)
        self.command("notebook:run-all-cells")
        self.page.set_default_timeout(30_000)

    def insert_and_run(self, source: str) -> None:
        """Put a code cell at the top of the notebook and run it."""
        self.page.evaluate(
            """source => {
                const content = window.jupyterapp.shell.currentWidget.content;
                content.model.sharedModel.insertCell(0, {cell_type: 'code', source});
                content.activeCellIndex = 0;
            }""",
            source,
        )
        self.command("notebook:run-cell")

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
        self._wait_for_kernel()

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
        self.command("apputils:change-theme", theme=name)
        expect(self.page.locator("body")).to_have_attribute("data-jp-theme-name", name)

    def violations(self, inside: str) -> list[str]:
        """What axe-core finds; it sees contrast only on a page that has a height of its own."""
        self.page.add_style_tag(content="html, body { height: 100vh !important; }")
        found = Axe().run(self.page, context=inside).response["violations"]
        return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]

    def screenshot(self, name: str, whole: bool = False) -> Path:
        """A picture for people to look at, of the window or of the whole notebook."""
        SCREENSHOTS.mkdir(exist_ok=True)
        path = SCREENSHOTS / f"{name}.png"
        if whole:
            self.command("application:toggle-left-area")
            scroller = self.notebook().locator(".jp-WindowedPanel-outer")
            height = scroller.evaluate("node => node.scrollHeight")
            self.page.set_viewport_size({"width": 1280, "height": int(height) + 150})
            scroller.evaluate("node => { node.scrollTop = 0; }")
            self.page.wait_for_timeout(1_000)
        self.page.screenshot(path=path)
        if whole:
            self.command("application:toggle-left-area")
            self.page.set_viewport_size({"width": 1280, "height": 900})
        return path


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    running = Server(tmp_path_factory.mktemp("lab"), port)
    running.wait()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=require("chromium"), args=CHROMIUM_OPTIONS
        )
        yield chromium
        chromium.close()


@pytest.fixture
def lab(server: Server, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Lab]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    opened = Lab(page, server)
    opened.open()
    failed_before = request.session.testsfailed
    yield opened
    if request.session.testsfailed > failed_before:
        opened.screenshot(f"failed-{request.node.name}")
    context.close()
    server.end_kernels()
