"""A fresh kernel, spoken to as JupyterLab speaks to it; without a browser."""

from __future__ import annotations

import os
import queue
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest import mock

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

VIEW = "application/vnd.jupyter.widget-view+json"
LONGEST = 60.0


class Shown(NamedTuple):
    """A widget that a cell has shown: after how many seconds, its id and what it holds."""

    seconds: float
    comm: str
    state: dict[str, Any]


class Kernel:
    """What a page does with a kernel, and how long it waits for it."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def show(self, code: str) -> Shown:
        """Run a cell until it shows its widget."""
        start = time.perf_counter()
        request = self._client.execute(code)
        seconds, comm, states = 0.0, "", {}
        for at, kind, content in self._heard(request):
            if kind == "error":
                raise SystemExit(f"{code!r}: {content['ename']}: {content['evalue']}")
            if kind == "comm_open":
                states[content["comm_id"]] = content["data"]["state"]
            if kind in ("execute_result", "display_data") and VIEW in content["data"]:
                seconds, comm = at - start, content["data"][VIEW]["model_id"]
        if not comm:
            raise SystemExit(f"{code!r} has shown no widget")
        return Shown(seconds, comm, states[comm])

    def printed(self, code: str) -> str:
        """Run a cell to its end: what it has printed."""
        text = ""
        for _, kind, content in self._heard(self._client.execute(code)):
            if kind == "error":
                raise SystemExit(f"{code!r}: {content['ename']}: {content['evalue']}")
            if kind == "stream" and content["name"] == "stdout":
                text += content["text"]
        return text

    def send(self, comm: str, data: dict[str, Any]) -> tuple[float, dict[str, Any]]:
        """Send what a widget's page would: seconds until all has come back, and that."""
        message = self._client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        start = time.perf_counter()
        self._client.shell_channel.send(message)
        last, changed = start, {}
        for at, kind, content in self._heard(message["header"]["msg_id"]):
            if kind == "comm_msg" and content["data"]["method"] == "update":
                last, changed = at, {**changed, **content["data"]["state"]}
        return last - start, changed

    def _heard(self, request: str) -> Iterator[tuple[float, str, dict[str, Any]]]:
        """When came what as an answer to a request, until the kernel has done with it."""
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=LONGEST)
            except queue.Empty:
                raise SystemExit(f"the kernel said nothing for {LONGEST:.0f} s") from None
            if message["parent_header"].get("msg_id") != request:
                continue
            kind, content = message["msg_type"], message["content"]
            if kind == "status" and content["execution_state"] == "idle":
                return
            yield time.perf_counter(), kind, content


@contextmanager
def fresh_kernel() -> Iterator[Kernel]:
    """One that has imported nothing, with an empty record."""
    with tempfile.TemporaryDirectory() as home, mock.patch.dict(os.environ, {"BIRNN_HOME": home}):
        manager = KernelManager(kernel_name="python3")
        manager.start_kernel(extra_arguments=["--IPKernelApp.log_level=ERROR"])
        client = manager.blocking_client()
        client.start_channels()
        try:
            client.wait_for_ready(timeout=LONGEST)
            yield Kernel(client)
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)
