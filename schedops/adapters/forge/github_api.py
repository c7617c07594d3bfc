"""Requests to GitHub's REST API through PyGithub: bounded waiting, repeated where that is safe, errors in our words.

PyGithub's own repeating is switched off: it sends a POST again after any 5xx and may sleep until a limit is reset.
Here everything is repeated alike, so a caller must only send what does no harm when it arrives twice
(``repeat=False`` for the rest).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schedops.errors import InputError, Refused, Unavailable
from schedops.proc import printable

if TYPE_CHECKING:
    from github import GithubException
    from github.Requester import Requester

_ATTEMPTS = 5
_LONGEST_WAIT_S = 60.0
_TIMEOUT_S = 30
_PER_PAGE = 100
_MOST_PAGES = 100
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_UNAUTHORIZED, FORBIDDEN, NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
NOT_MERGEABLE, CONFLICT, INVALID = 405, 409, 422
_EXPECTED = (NOT_FOUND, NOT_MERGEABLE, CONFLICT, INVALID)


@dataclass(frozen=True, slots=True)
class Pace:
    """:param between_s: least time between two requests, and between two that write (GitHub asks for a second)."""

    between_s: tuple[float, float] | None = (0.25, 1.0)
    sleep: Callable[[float], None] = time.sleep
    now_s: Callable[[], float] = time.time  # noqa: TID251 - a limit is reset at a moment of the wall clock


class Rejected(Unavailable):
    """404, 405, 409 or 422: what it means depends on the request, so whoever sent it says it better if it can.

    :param words: what GitHub says; bounded and printable.
    """

    def __init__(self, status: int, words: str, *, where: str) -> None:
        super().__init__("github-rejected", f"GitHub answered with status {status}: {words}", where=where)
        self.status = status
        self.words = words


class Api:
    """One repository of a GitHub.

    :param base_url: ``https://api.github.com``, or ``https://HOST/api/v3`` of an Enterprise Server.
    :param repository: ``owner/name``.
    """

    def __init__(self, base_url: str, repository: str, token: str, *, pace: Pace | None = None) -> None:
        self.base_url = base_url
        self.repository = repository
        self._token = token
        self._pace = pace or Pace()
        self._opened: Requester | None = None

    @property
    def owner(self) -> str:
        """User or organisation the repository belongs to."""
        return self.repository.partition("/")[0]

    def get(self, path: str, *, accept: str = "", **query: str) -> Any:
        """:param path: below the repository. :raises Rejected: 404 or 422."""
        return self._send("GET", self._url(path), query=query, headers={"Accept": accept} if accept else None)[1]

    def pages(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        for page in range(1, _MOST_PAGES + 1):
            asked = {**query, "per_page": str(_PER_PAGE), "page": str(page)}
            try:
                headers, items = self._send("GET", self._url(path), query=asked)
            except Rejected as error:
                raise self._missing(error) from None
            yield from items
            if 'rel="next"' not in headers.get("link", ""):
                return
        raise Unavailable("github-too-much", f"more than {_MOST_PAGES * _PER_PAGE} entries", where=self._url(path))

    def write(self, verb: str, path: str, body: Mapping[str, Any] | None = None, *, repeat: bool = True) -> Any:
        """:param repeat: it may arrive twice. :raises Rejected: 404, 405, 409 or 422."""
        return self._send(verb, self._url(path), body=body, repeat=repeat)[1]

    def mutate(self, mutation: str, node: str) -> None:
        """A GraphQL mutation of a pull request: what REST cannot do (drafts)."""
        kind = f"{mutation[0].upper()}{mutation[1:]}Input"
        query = f"mutation($input: {kind}!) {{ {mutation}(input: $input) {{ __typename }} }}"
        asked = {"query": query, "variables": {"input": {"pullRequestId": node}}}
        answer = self._send("POST", self._requester.graphql_url, body=asked)[1]
        if answer.get("errors"):
            words = _printable(str(answer["errors"][0].get("message", "")))
            raise Unavailable("github-refused", f"GitHub did not do {mutation}: {words}", where=self.repository)

    def patiently(self, read: Callable[[], Any | None]) -> Any | None:
        """What *read* finds, asked again a few times: GitHub lists what it has just made a moment later."""
        for attempt in range(_ATTEMPTS):
            found = read()
            if found is not None:
                return found
            self._pace.sleep(float(2**attempt))
        return None

    @property
    def _requester(self) -> Requester:
        if self._opened is None:
            from github import Auth, Github  # noqa: PLC0415 - 0.3 s

            between = self._pace.between_s or (None, None)
            self._opened = Github(
                auth=Auth.Token(self._token),
                base_url=self.base_url,
                retry=None,
                timeout=_TIMEOUT_S,
                seconds_between_requests=between[0],
                seconds_between_writes=between[1],
            ).requester
        return self._opened

    def close(self) -> None:
        """Let go of the connections."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    def _missing(self, error: Rejected) -> Exception:
        if error.status != NOT_FOUND:
            return error
        return InputError(
            "no-repository",
            f"there is no repository {self.repository}, or the token may not see it",
            where=self.base_url,
            hint="give it as --repository OWNER/NAME, and the token access to it",
        )

    def _url(self, path: str) -> str:
        return f"/repos/{self.repository}{path}"

    def _send(
        self,
        verb: str,
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        repeat: bool = True,
    ) -> tuple[dict[str, Any], Any]:
        from github import GithubException  # noqa: PLC0415 - as above
        from requests.exceptions import RequestException  # noqa: PLC0415 - comes with PyGithub

        said = ""
        for attempt in range(_ATTEMPTS):
            try:
                asked = dict(query or {})
                # The transport fills the headers in, so each attempt gets its own.
                answer = self._requester.requestJsonAndCheck(verb, url, asked, dict(headers or {}), body)
                return _json(answer, url, text=headers is not None)
            except GithubException as error:
                wait, said = self._wait(error, attempt, url), f"status {error.status}"
                limited = error.status < _SERVER_ERROR  # then nothing was done
            except (RequestException, ValueError) as error:  # no connection, or half a JSON
                wait, said, limited = float(2**attempt), type(error).__name__, False
            if not (repeat or limited):
                break
            if attempt + 1 < _ATTEMPTS:
                self._pace.sleep(wait)
        raise Unavailable(
            "github-unreachable",
            f"GitHub did not answer {verb} {url} ({said})",
            where=self.base_url,
            hint="run it again later: what was written is found again, nothing is doubled",
        )

    def _wait(self, error: GithubException, attempt: int, url: str) -> float:
        """Seconds until the next attempt. Raises where another one cannot help."""
        status, words = error.status, _words(error)
        if status >= _SERVER_ERROR:
            return float(2**attempt)
        wait = self._limit_s(error, words, attempt)
        if wait is None:
            raise _meaning(status, words, url, self.repository)
        if wait > _LONGEST_WAIT_S:
            raise Unavailable(
                "github-limit",
                f"GitHub's limit of requests is used up for another {wait:.0f} s",
                where=self.repository,
                hint="run it again then: nothing is doubled",
            )
        return wait

    def _limit_s(self, error: GithubException, words: str, attempt: int) -> float | None:
        """Seconds that a limit asks to wait; None when it is no limit."""
        headers = {name.lower(): str(text) for name, text in (error.headers or {}).items()}
        if error.status not in {FORBIDDEN, _TOO_MANY}:
            return None
        if headers.get("retry-after", "").isdecimal():
            return float(headers["retry-after"])
        if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdecimal():
            return max(1.0, float(headers["x-ratelimit-reset"]) - self._pace.now_s())
        if error.status == _TOO_MANY or "rate limit" in words.lower():
            return min(_LONGEST_WAIT_S, float(5 * 2**attempt))
        return None


def _json(answer: tuple[dict[str, Any], Any], url: str, *, text: bool) -> tuple[dict[str, Any], Any]:
    # PyGithub hands on what is no JSON as {"data": words}: a diff that was asked for, or a page of some proxy.
    data = answer[1]
    if not text and isinstance(data, dict) and isinstance(data.get("data"), str):
        raise Unavailable(
            "github-answer", f"what answers is no API of GitHub: {_printable(data['data'])[:80]}", where=url
        )
    return answer


def _meaning(status: int, words: str, url: str, repository: str) -> Exception:
    if status in _EXPECTED:
        return Rejected(status, words, where=url)
    if status == _UNAUTHORIZED:
        return InputError(
            "github-token",
            f"GitHub does not accept the token: {words}",
            where=repository,
            hint="export GITHUB_TOKEN=...",
        )
    if status == FORBIDDEN:
        return Refused(
            "github-forbidden",
            f"GitHub does not allow it: {words}",
            where=url,
            hint="the token needs write access to contents and to pull requests of this repository",
        )
    return Unavailable("github-answer", f"GitHub answered with status {status}: {words}", where=url)


def _words(error: GithubException) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    entries = data.get("errors")
    listed = entries if isinstance(entries, list) else []
    parts = [str(data.get("message", "")), *(_entry(one) if isinstance(one, dict) else str(one) for one in listed)]
    return _printable("; ".join(part for part in parts if part)) or "no words"


def _entry(entry: dict[str, Any]) -> str:
    return str(entry.get("message") or f"{entry.get('field', '')} {entry.get('code', '')}")


def _printable(text: str) -> str:
    return printable(text.encode("utf-8", "replace")).replace("\n", " ")[:400]
