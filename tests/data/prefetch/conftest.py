from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """A real server on this machine, and how it behaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"v1"'
    break_after: list[int] = field(default_factory=list)
    """For each of the next answers, after how many bytes the connection breaks off."""
    statuses: list[int] = field(default_factory=list)
    """For each of the next answers, the error it is instead."""
    asked: list[str | None] = field(default_factory=list)
    """The Range of each request so far."""
    address: str = ""

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


class Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        site, wanted = self.site, self.headers.get("Range")
        site.asked.append(wanted)
        body = site.files.get(self.path.strip("/"))
        if site.statuses:
            self.send_error(site.statuses.pop(0))
        elif body is None:
            self.send_error(404)
        else:
            self.answer(body, self.start(wanted))

    def start(self, wanted: str | None) -> int:
        condition = self.headers.get("If-Range")
        if not wanted or not self.site.ranges or (condition and condition != self.site.etag):
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-"))

    def answer(self, body: bytes, start: int) -> None:
        if start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if self.site.etag:
            self.send_header("ETag", self.site.etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        stop = start + self.site.break_after.pop(0) if self.site.break_after else len(body)
        self.wfile.write(body[start:stop])


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Here", (Handler,), {"site": made}))
    made.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()
