"""Prometheus' HTTP API (/api/v1/query and query_range, prometheus.io/docs/prometheus/latest/querying/api)."""

from __future__ import annotations

import json
import math
import time
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, ProxyHandler, Request, build_opener

from schedops import proc
from schedops.adapters.clear_text import require_private_way
from schedops.errors import InputError, Unavailable
from schedops.model.series import Series

TOKEN_VARIABLE = "SCHEDOPS_PROMETHEUS_TOKEN"  # noqa: S105 - the name of a variable, not what is in it
TIMEOUT_S = 10.0
MAX_BYTES = 8 << 20
_MAX_SERIES = 1000
_MAX_POINTS = 11_000  # what Prometheus itself answers at most for each series
_MAX_LABELS = 64
# What reading an answer raises that is JSON of another shape, or none.
_GARBLED = (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError)
_MAX_TIME_S = 1e11  # the year 5138


class Prometheus:
    """A server that is asked in PromQL. Nothing is asked before it is needed."""

    def __init__(self, url: str, token: str = "", *, timeout_s: float = TIMEOUT_S) -> None:
        """:param token: sent as a bearer's; only over TLS, or to this machine.

        :raises InputError: ``bad-url``: neither http nor https, or with a password in it; ``secret-in-the-clear``.
        """
        self._url = _base(url)
        self._timeout_s = timeout_s
        self._headers = {"Accept": "application/json"}
        if token:
            require_private_way(self._url, what="the token", hint=f"https, or no {TOKEN_VARIABLE}")
            if not token.isascii() or not token.isprintable():
                raise InputError("bad-token", f"what is in {TOKEN_VARIABLE} is no token", where=self._url)
            self._headers["Authorization"] = f"Bearer {token}"
        # Without a proxy: it would see the token, and a Prometheus is near.
        self._opener: OpenerDirector = build_opener(_NoRedirect, ProxyHandler({}))

    def instant(self, query: str) -> tuple[Series, ...]:
        """See :class:`schedops.ports.Metrics`."""
        return self._ask("query", {"query": query}, "vector")

    def over(self, query: str, *, start_s: float, end_s: float, step_s: float) -> tuple[Series, ...]:
        """See :class:`schedops.ports.Metrics`."""
        asked = {"query": query, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:g}"}
        return self._ask("query_range", asked, "matrix")

    def _ask(self, verb: str, asked: dict[str, str], kind: str) -> tuple[Series, ...]:
        address = f"{self._url}/api/v1/{verb}?{urlencode({**asked, 'timeout': f'{self._timeout_s:g}s'})}"
        request = Request(address, headers=self._headers)  # noqa: S310 - http or https: _base()
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                data = self._read(answer)
        except HTTPError as error:
            with error:
                raise self._refused(error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = error.reason if isinstance(error, URLError) else error
            raise self._unavailable("prometheus-silent", f"it does not answer: {reason}") from None
        if len(data) > MAX_BYTES:
            raise self._unavailable("prometheus-garbled", f"an answer of over {MAX_BYTES} bytes")
        try:
            return _series(_data(data), kind)
        except _GARBLED as error:
            raise self._unavailable("prometheus-garbled", f"an answer that is not Prometheus': {error}") from None

    def _read(self, answer: IO[bytes]) -> bytes:
        # The timeout of a socket is for each piece, and a server may send one byte at a time.
        until, data = time.monotonic() + self._timeout_s, b""
        while len(data) <= MAX_BYTES and (piece := answer.read1(1 << 16)):  # type: ignore[attr-defined]
            data += piece
            if time.monotonic() > until:
                raise TimeoutError(f"no whole answer within {self._timeout_s:g} s")
        return data

    def _refused(self, error: HTTPError) -> Unavailable:
        try:
            why = str(json.loads(self._read(error))["error"])
        except (*_GARBLED, HTTPException, OSError):
            why = "no more is said"
        hint = f"a token in {TOKEN_VARIABLE}" if error.code in {401, 403} else ""
        return self._unavailable("prometheus-refused", f"HTTP status {error.code}: {why}", hint)

    def _unavailable(self, code: str, message: str, hint: str = "") -> Unavailable:
        return Unavailable(code, proc.printable(message.encode())[:500], where=self._url, hint=hint)


class _NoRedirect(HTTPRedirectHandler):
    """A redirected token is a stranger's: whoever is asked has to answer."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


def _base(url: str) -> str:
    try:
        parts = urlsplit(url)
        fine = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        fine = False
    if not fine or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("bad-url", f"{url[:200]!r} is no address of a Prometheus server", hint="http://HOST:9090")
    if parts.username is not None or parts.query or parts.fragment:
        raise InputError("bad-url", "nothing but the address belongs there", hint=f"a token goes in {TOKEN_VARIABLE}")
    return url.rstrip("/")


def _data(answer: bytes) -> dict[str, Any]:
    found = json.loads(answer)
    if found["status"] != "success":
        raise ValueError(f"status {str(found['status'])[:40]!r}")
    data: dict[str, Any] = found["data"]
    return data


def _series(data: dict[str, Any], kind: str) -> tuple[Series, ...]:
    if data["resultType"] == "scalar" and kind == "vector":
        return (_one({}, [data["result"]]),)
    if data["resultType"] != kind:
        raise ValueError(f"a {str(data['resultType'])[:40]!r} where a {kind} was asked for")
    rows = data["result"]
    if len(rows) > _MAX_SERIES:
        raise ValueError(f"{len(rows)} series, at most {_MAX_SERIES} are read")
    return tuple(_one(row["metric"], row["values"] if kind == "matrix" else [row["value"]]) for row in rows)


def _one(metric: dict[str, str], values: list[list[Any]]) -> Series:
    if len(values) > _MAX_POINTS or len(metric) > _MAX_LABELS:
        raise ValueError("more points or labels than there can be")
    labels = tuple(sorted((_word(name), _word(value)) for name, value in metric.items()))
    points = [(float(at), float(value)) for at, value in values]
    if not all(0 <= at <= _MAX_TIME_S for at, _ in points):
        raise ValueError("a sample of no time")
    # "NaN" is an answer too: a division by nothing, a quantile of nothing. It is no figure.
    return Series(labels=labels, points=tuple(sorted(one for one in points if math.isfinite(one[1]))))


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a label that is no text")
    return proc.printable(value.encode("utf-8", "replace"))[:200]
