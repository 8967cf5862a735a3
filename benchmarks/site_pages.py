"""What the site costs whoever makes it and whoever opens it: ``make bench-site``.

- *Made*: CPU seconds of ``birnn site`` as a process of its own, the median of the rounds.
- *Weight*: of each page alone, and of the front page with everything that it asks for.
- *Largest paint*: of the front page in Chromium as on a slow phone: 390 by 844 pixels, 1.6 Mbit/s,
  150 ms to the server and back, a processor four times slower. The median of the rounds.
"""

from __future__ import annotations

import functools
import http.server
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import report
from report import Ratio

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from playwright.sync_api import Browser

PHONE = {"width": 390, "height": 844}
NETWORK = {"offline": False, "latency": 150, "downloadThroughput": 2e5, "uploadThroughput": 9e4}
SLOWER = 4
PAINT = """() => new Promise(done => new PerformanceObserver(list =>
    done(list.getEntries().at(-1).startTime / 1000))
    .observe({ type: "largest-contentful-paint", buffered: true }))"""


class Opened(NamedTuple):
    """The front page on a phone: bytes that came, seconds to the largest paint."""

    weight: int
    paint: float


def made(folder: Path) -> float:
    """CPU seconds of a process that writes the site."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = "from birnn_course.cli import main; main()"
    subprocess.run(
        [sys.executable, "-c", command, "site", "-o", str(folder)], check=True, capture_output=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def weights(folder: Path) -> dict[str, float]:
    """Kilobytes of each page, without what it shares with others."""
    return {
        path.relative_to(folder).as_posix(): path.stat().st_size / 1000
        for path in sorted(folder.rglob("*.html"))
    }


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def opened(browser: Browser, address: str) -> Opened:
    """Open a page for the first time, as on a slow phone."""
    context = browser.new_context(viewport=PHONE, is_mobile=True, device_scale_factor=2)
    page = context.new_page()
    tools = context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", NETWORK)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    came: list[float] = []
    tools.on("Network.loadingFinished", lambda event: came.append(event["encodedDataLength"]))
    page.goto(address, wait_until="networkidle")
    paint = float(page.evaluate(PAINT))
    context.close()
    return Opened(int(sum(came)), paint)


def ratios(
    seconds: Sequence[float], pages: Mapping[str, float], phone: Sequence[Opened]
) -> list[Ratio]:
    """What a maker and a reader pay, and what they should pay at most."""
    return [
        Ratio("CPU seconds of `birnn site`", statistics.median(seconds), most=60),
        Ratio(
            "kilobytes of the heaviest page, without shared files", max(pages.values()), most=500
        ),
        Ratio("kilobytes of the front page, with all it asks for", phone[0].weight / 1000),
        Ratio(
            "seconds to the front page's largest paint on a slow phone",
            statistics.median(one.paint for one in phone),
            most=2.5,
        ),
    ]


def plot(pages: Mapping[str, float]) -> Figure:
    """The weight of each page."""
    figure = report.new_figure(7, 1.2 + 0.17 * len(pages))
    report.bars(figure.add_subplot(), pages, "kB without shared files", "{:.0f}")
    return figure


def main(arguments: list[str] | None = None) -> None:
    """Measure, print and store."""
    chosen = report.options(__doc__, rounds=3).parse_args(arguments)
    from browser.conftest import launched

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "site"
        seconds = [made(out) for _ in range(chosen.rounds)]
        pages = weights(out)
        total = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) / 1e6
        with served(out) as address:
            for browser in launched():
                phone = [opened(browser, address) for _ in range(chosen.rounds)]
    about = (
        f"{len(pages)} pages, {total:.1f} MB together, {chosen.rounds} rounds; how it is measured "
        "stands in `benchmarks/site_pages.py`."
    )
    body = report.table(("page", "kB"), ((name, f"{size:.0f}") for name, size in pages.items()))
    text = report.page(
        "The site: what it costs", about, ratios(seconds, pages, phone), body, report.machine()
    )
    report.keep("site_pages", text, plot(pages), chosen.out)


if __name__ == "__main__":
    main()
