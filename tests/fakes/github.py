"""GitHub on loopback: stateful, its git data in a real repository, every call held to GitHub's own description.

Faults are planned by the number of a call (from 1, counted since :meth:`FakeGitHub.plan`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote

from tests.fakes import github_contract as contract
from tests.fakes.github_git import GitData
from tests.fakes.github_routes import NAME, ROUTES, error_of, label_of

TOKEN = "ghp_test_0123456789"


@dataclass(frozen=True)
class Fault:
    """:param after: the request has its effect, only the answer is lost.
    :param status: what is answered instead; 0: the connection is cut.
    :param lasting: all calls from then on.
    """

    status: int = 502
    after: bool = False
    lasting: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    words: str = "Server Error"


@dataclass
class FakeGitHub:
    git: GitData
    url: str = ""
    now: str = "2026-01-01T00:00:00Z"
    pulls: dict[int, dict] = field(default_factory=dict)
    comments: dict[int, list[str]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    faults: dict[int, Fault] = field(default_factory=dict)
    drafts: bool = True
    hidden_lists: int = 0  # lists that do not show the newest pull request yet
    undecided: int = 0  # reads with `mergeable: null`
    page: int = 0  # entries a page at most; 0: as asked
    strict: bool = True
    protected: str = ""  # why the base takes no merge
    between: dict[int, object] = field(default_factory=dict)  # what somebody else does before the n-th call

    def plan(self, **faults: Fault) -> None:
        """Count from 1 again; faults as ``n3=Fault(...)``."""
        self.calls.clear()
        self.faults = {int(name[1:]): fault for name, fault in faults.items()}

    @property
    def writes(self):
        return [call for call in self.calls if call[0] != "GET"]

    def answer(self, method, path, query, body, accept):
        """(status, JSON or text)."""
        if path == "/graphql":
            return self._graphql(body)
        found = contract.operation(method, path)
        if found is None:
            self.problems.append(f"no such operation: {method} {path}")
            return 404, error_of("Not Found")
        template, names = found
        wrong = contract.request_problems(method, template, query, body)
        if wrong:
            self.problems += [f"{method} {path}: {one}" for one in wrong]
            return 422, error_of("Invalid request")
        if f"{names['owner']}/{names['repo']}".lower() != NAME:
            return 404, error_of("Not Found")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        given = {name: unquote(text) for name, text in names.items() if name not in {"owner", "repo"}}
        status, data = ROUTES[method, template](self, asked, body, **given)
        if "diff" in accept and status == 200:
            return status, self._diff(int(given["pull_number"]))
        wrong = contract.response_problems(method, template, status, data) if self.strict else []
        self.problems += [f"answer to {method} {path}: {one}" for one in wrong]
        return status, data

    def _graphql(self, body):
        change = {"convertPullRequestToDraft": True, "markPullRequestReadyForReview": False}
        name = next(name for name in change if f"{{ {name}(input: $input)" in body["query"])
        node = body["variables"]["input"]["pullRequestId"]
        self.pulls[int(node.removeprefix("PR_"))]["draft"] = change[name]
        return 200, {"data": {name: {"__typename": "x"}}}

    def _diff(self, number):
        pull = self.pulls[number]
        base = pull.get("merged_onto") or f"refs/heads/{pull['base']}"
        return self.git("diff", "--no-color", f"{base}...{self.head(pull)}")

    def head(self, pull):
        return self.git.sha(f"refs/heads/{pull['head']}") or pull["last_head"]

    def person_commits(self, branch, *, author="human@example.org", message="mine\n"):
        """Somebody pushes to a branch."""
        tip = self.git.sha(f"refs/heads/{branch}")
        who = {"name": "Human", "email": author, "date": "2026-01-05T00:00:00Z"}
        tree = self.git.tree([{"path": "mine.txt", "mode": "100644", "content": "x\n"}], tip)
        sha = self.git.commit(tree, [tip] if tip else [], message, who, who)
        self.git("update-ref", f"refs/heads/{branch}", sha)
        return sha

    def close(self, number):
        self.pulls[number].update(state="closed")

    def shown(self, number, schema):
        pull = self.pulls[number]
        pull["last_head"] = self.head(pull)
        made = contract.sample(schema)
        repository = {**(made["base"]["repo"] or {}), "full_name": pull.get("home", NAME)}
        here = {**made["base"], "repo": {**repository, "full_name": "Octo/Policies"}}
        made |= {key: pull[key] for key in ("title", "body", "draft", "state", "created_at", "updated_at", "merged_at")}
        made |= {
            "number": number,
            "node_id": f"PR_{number}",
            "labels": [label_of(name) for name in pull["labels"]],
            "base": {**here, "ref": pull["base"]},
            "head": {**made["head"], "ref": pull["head"], "sha": pull["last_head"], "repo": repository},
        }
        return made

    def merges(self, pull):
        if self.undecided:
            self.undecided -= 1
            return None
        return self.git.merged_tree(f"refs/heads/{pull['base']}", pull["last_head"]) is not None


def _page_of(hub, url, items, query):
    asked = parse_qs(query)
    size, page = int(asked.get("per_page", ["30"])[0]), int(asked.get("page", ["1"])[0])
    size = min(size, hub.page or size)
    more = len(items) > page * size
    headers = {"Link": f'<{hub.url}{url}?page={page + 1}>; rel="next"'} if more else {}
    return items[(page - 1) * size : page * size], headers


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *words):
        pass

    def do_GET(self):
        hub = self.server.hub
        path, _, query = self.path.partition("?")
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("authorization") != f"token {TOKEN}":
            return self._say(401, error_of("Bad credentials"))
        hub.calls.append((self.command, self.path))
        number = len(hub.calls)
        if number in hub.between:
            hub.between.pop(number)()
        fault = hub.faults.get(number) or next((f for n, f in hub.faults.items() if f.lasting and number >= n), None)
        if fault and not (fault.after and number in hub.faults):
            return self._fail(fault)
        status, data = hub.answer(
            self.command, path, query, json.loads(raw) if raw else None, self.headers.get("accept", "")
        )
        if fault:
            return self._fail(fault)
        headers = {}
        if isinstance(data, list) and self.command == "GET":
            data, headers = _page_of(hub, path, data, query)
        return self._say(status, data, headers)

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - as http.server names them

    def _fail(self, fault):
        if fault.status:
            return self._say(fault.status, error_of(fault.words), fault.headers)
        self.close_connection = True
        return None

    def _say(self, status, data, headers=()):
        text = data.encode() if isinstance(data, str) else json.dumps(data).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain" if isinstance(data, str) else "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def served(path) -> Iterator[FakeGitHub]:
    """:param path: where its repository is made."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.hub = FakeGitHub(git=GitData(path), url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
