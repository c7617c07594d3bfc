"""What each call to the GitHub on loopback does; a route gets the hub, the query, the body and what the path names."""

from __future__ import annotations

import base64

from tests.fakes import github_contract as contract

NAME = "octo/policies"
_R = "/repos/{owner}/{repo}"


def label_of(name):
    return {
        "id": 1,
        "node_id": "L",
        "url": "https://x",
        "name": name,
        "description": "",
        "color": "0",
        "default": False,
    }


def error_of(words, *entries):
    return {
        "message": words,
        "documentation_url": "https://docs.github.com/rest",
        **({"errors": list(entries)} if entries else {}),
    }


def _repository(hub, asked, body):
    return 200, {**contract.sample("full-repository"), "full_name": NAME, "default_branch": "main"}


def _ref_of(name, sha):
    return {
        "ref": name,
        "node_id": "R",
        "url": "https://x",
        "object": {"type": "commit", "sha": sha, "url": "https://x"},
    }


def _get_ref(hub, asked, body, ref):
    sha = hub.git.sha(f"refs/{ref}")
    return (200, _ref_of(f"refs/{ref}", sha)) if sha else (404, error_of("Not Found"))


def _post_ref(hub, asked, body):
    if (
        not body["ref"].startswith("refs/")
        or body["ref"].count("/") < 2
        or not hub.git.has(f"{body['sha']}^{{commit}}")
    ):
        return 422, error_of("Object does not exist")
    if hub.git.has(body["ref"]):
        return 422, error_of("Reference already exists")
    hub.git("update-ref", body["ref"], body["sha"])
    return 201, _ref_of(body["ref"], body["sha"])


def _patch_ref(hub, asked, body, ref):
    old = hub.git.sha(f"refs/{ref}")
    if old is None:
        return 422, error_of("Reference does not exist")
    if not body.get("force") and not hub.git.is_ancestor(old, body["sha"]):
        return 422, error_of("Update is not a fast forward")
    hub.git("update-ref", f"refs/{ref}", body["sha"])
    return 200, _ref_of(f"refs/{ref}", body["sha"])


def _post_blob(hub, asked, body):
    assert body["encoding"] == "base64"
    return 201, {"url": "https://x", "sha": hub.git.blob(base64.b64decode(body["content"]))}


def _get_blob(hub, asked, body, file_sha):
    text, size = hub.git.read_blob(file_sha)
    return 200, {**contract.sample("blob"), "content": text, "encoding": "base64", "sha": file_sha, "size": size}


def _post_tree(hub, asked, body):
    base = body.get("base_tree")
    if base and not hub.git.has(f"{base}^{{tree}}"):
        return 422, error_of("base_tree is not a valid tree oid")
    return 201, {**contract.sample("git-tree"), "sha": hub.git.tree(body["tree"], base)}


def _get_tree(hub, asked, body, tree_sha):
    entries = hub.git.files(tree_sha)
    return 200, {**contract.sample("git-tree"), "sha": tree_sha, "tree": entries, "truncated": False}


def _commit_of(hub, sha):
    read = hub.git.read_commit(sha)
    links = [{"sha": parent, "url": "https://x", "html_url": "https://x"} for parent in read["parents"]]
    tree = {"sha": read["tree"], "url": "https://x"}
    return {**contract.sample("git-commit"), **read, "sha": sha, "tree": tree, "parents": links}


def _post_commit(hub, asked, body):
    if not all(hub.git.has(f"{parent}^{{commit}}") for parent in body["parents"]):
        return 422, error_of("Parent SHA does not exist or is not a commit object")
    sha = hub.git.commit(body["tree"], body["parents"], body["message"], body["author"], body["committer"])
    return 201, _commit_of(hub, sha)


def _get_commit(hub, asked, body, commit_sha):
    return 200, _commit_of(hub, commit_sha)


def _list_pulls(hub, asked, body):
    numbers = sorted(hub.pulls)
    if hub.hidden_lists and numbers:
        hub.hidden_lists -= 1
        numbers.pop()
    state, (owner, _, branch) = asked.get("state", "open"), asked.get("head", "").partition(":")
    kept = [
        number
        for number in numbers
        if state in {"all", hub.pulls[number]["state"]}
        and (
            not branch
            or (branch == hub.pulls[number]["head"] and owner == hub.pulls[number].get("home", NAME).split("/")[0])
        )
    ]
    return 200, [hub.shown(number, "pull-request-simple") for number in kept]


def _post_pull(hub, asked, body):
    if not hub.git.has(f"refs/heads/{body['base']}"):
        return 422, error_of("Validation Failed", {"resource": "PullRequest", "field": "base", "code": "invalid"})
    if any(pull["head"] == body["head"] and pull["state"] == "open" for pull in hub.pulls.values()):
        words = f"A pull request already exists for octo:{body['head']}."
        return 422, error_of("Validation Failed", {"resource": "PullRequest", "code": "custom", "message": words})
    if body.get("draft") and not hub.drafts:
        words = "Draft pull requests are not supported in this repository."
        return 422, error_of(words)
    assert len(body["body"]) <= 65_536
    number = max(hub.pulls, default=0) + 1
    dates = {"created_at": hub.now, "updated_at": hub.now, "merged_at": None}
    hub.pulls[number] = {"state": "open", "labels": [], "draft": False, "last_head": "", **dates, **body}
    return 201, hub.shown(number, "pull-request")


def _get_pull(hub, asked, body, pull_number):
    if not pull_number.isdigit() or int(pull_number) not in hub.pulls:
        return 404, error_of("Not Found")
    mergeable = hub.merges(hub.pulls[int(pull_number)])
    return 200, {**hub.shown(int(pull_number), "pull-request"), "mergeable": mergeable}


def _patch_pull(hub, asked, body, pull_number):
    hub.pulls[int(pull_number)].update(body, updated_at=hub.now)
    return 200, hub.shown(int(pull_number), "pull-request")


def _merge(hub, asked, body, pull_number):
    pull = hub.pulls[int(pull_number)]
    base, head = hub.git.sha(f"refs/heads/{pull['base']}"), hub.head(pull)
    if pull["state"] != "open" or hub.protected:
        return 405, error_of(hub.protected or "Pull Request is not mergeable")
    if body["sha"] != head:
        return 409, error_of("Head branch was modified. Review and try the merge again.")
    who = {"name": "GitHub", "email": "noreply@github.com", "date": "2026-02-01T00:00:00Z"}
    words = f"Merge pull request {pull_number}: {pull['title']}\n"
    sha = hub.git.commit(hub.git.merged_tree(base, head), [base, head], words, who, who)
    hub.git("update-ref", f"refs/heads/{pull['base']}", sha)
    merged = {"state": "closed", "merged_at": hub.now, "updated_at": "2026-02-01T00:00:00Z", "merged_onto": base}
    pull.update(merged)
    return 200, {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


def _add_labels(hub, asked, body, issue_number):
    labels = hub.pulls[int(issue_number)]["labels"]
    labels += [name for name in body["labels"] if name not in labels]
    return 200, [label_of(name) for name in labels]


def _remove_label(hub, asked, body, issue_number, name):
    labels = hub.pulls[int(issue_number)]["labels"]
    if name not in labels:
        return 404, error_of("Label does not exist")
    labels.remove(name)
    return 200, [label_of(one) for one in labels]


def _list_comments(hub, asked, body, issue_number):
    found = hub.comments.get(int(issue_number), [])
    return 200, [{**contract.sample("issue-comment"), "body": text} for text in found]


def _post_comment(hub, asked, body, issue_number):
    hub.comments.setdefault(int(issue_number), []).append(body["body"])
    return 201, {**contract.sample("issue-comment"), "body": body["body"]}


ROUTES = {
    ("GET", _R): _repository,
    ("GET", f"{_R}/git/ref/{{ref}}"): _get_ref,
    ("POST", f"{_R}/git/refs"): _post_ref,
    ("PATCH", f"{_R}/git/refs/{{ref}}"): _patch_ref,
    ("POST", f"{_R}/git/blobs"): _post_blob,
    ("GET", f"{_R}/git/blobs/{{file_sha}}"): _get_blob,
    ("POST", f"{_R}/git/trees"): _post_tree,
    ("GET", f"{_R}/git/trees/{{tree_sha}}"): _get_tree,
    ("POST", f"{_R}/git/commits"): _post_commit,
    ("GET", f"{_R}/git/commits/{{commit_sha}}"): _get_commit,
    ("GET", f"{_R}/pulls"): _list_pulls,
    ("POST", f"{_R}/pulls"): _post_pull,
    ("GET", f"{_R}/pulls/{{pull_number}}"): _get_pull,
    ("PATCH", f"{_R}/pulls/{{pull_number}}"): _patch_pull,
    ("PUT", f"{_R}/pulls/{{pull_number}}/merge"): _merge,
    ("POST", f"{_R}/issues/{{issue_number}}/labels"): _add_labels,
    ("DELETE", f"{_R}/issues/{{issue_number}}/labels/{{name}}"): _remove_label,
    ("GET", f"{_R}/issues/{{issue_number}}/comments"): _list_comments,
    ("POST", f"{_R}/issues/{{issue_number}}/comments"): _post_comment,
}
