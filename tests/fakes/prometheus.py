"""A Prometheus on the loopback that answers in the documented format, with whatever a test has put there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NOW_S = 1_780_000_000.25
METRICS = {  # a part of a query: its value; what comes first counts
    "timestamp(": 4.0,
    "count by (cpu)": 8.0,
    "cpu_waiting": 0.5,
    "io_waiting": 0.01,
    "running_seconds": 6.0,
    "schedstat_waiting": 2.0,
    "timeslices": 4000.0,
    "context_switches": 9000.0,
    "forks": 3.0,
    "pgfault": 100.0,
    "pgmajfault": 0.0,
}
MODES = {"idle": 0.6, "iowait": 0.2, "steal": 0.0, "user": 6.2, "system": 1.0}


@dataclass
class Said:
    """What the server says and has heard."""

    metrics: dict[str, object] = field(default_factory=lambda: dict(METRICS))
    instances: tuple[str, ...] = ("web1:9100",)
    busy: list[object] = field(default_factory=lambda: [0.9] * 61)
    raw: tuple[int, bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)

    def answer(self, verb: str, asked: dict[str, str]) -> object:
        query = asked["query"]
        if verb == "query_range":
            step, start = float(asked["step"]), float(asked["start"])
            values = [[start + step * at, str(one)] for at, one in enumerate(self.busy) if one is not None]
            return {"resultType": "matrix", "result": [{"metric": {}, "values": values}] if values else []}
        return {"resultType": "vector", "result": self.vector(query)}

    def vector(self, query: str) -> list[object]:
        if query.startswith("count by (instance)"):
            return [_row({"instance": one}, 16) for one in self.instances]
        if query.startswith("sum by (mode)"):
            return [_row({"mode": name}, share) for name, share in MODES.items()]
        return [_row({}, value) for part, value in self.metrics.items() if part in query][:1]


def _row(metric: dict[str, str], value: object) -> object:
    return {"metric": metric, "value": [NOW_S, str(value)]}


@contextmanager
def prometheus() -> Iterator[tuple[str, Said]]:
    """Its address, and what it says."""
    said = Said()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            said.heard.append(asked.get("query", ""))
            said.tokens.add(self.headers.get("Authorization", ""))
            data = {"status": "success", "data": None}
            if said.raw is None:
                data["data"] = said.answer(parts.path.rsplit("/", 1)[-1], asked)
            status, body = said.raw or (200, json.dumps(data).encode())
            self.send_response(status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    worker = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    worker.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", said
    finally:
        server.shutdown()
        worker.join()
        server.server_close()
