"""The user's repository is read and never touched."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from schedops.adapters.forge import git
from schedops.adapters.forge.git import GitCheckout
from schedops.errors import InputError, Unavailable


def refusal(start) -> InputError:
    with pytest.raises(InputError) as caught:
        GitCheckout(start)
    return caught.value


def test_root_is_found_from_below_and_head_and_branch_are_told(repo):
    checkout = GitCheckout(repo.root / "policies")

    assert checkout.root == repo.root
    assert checkout.head() == repo("rev-parse", "HEAD")
    assert checkout.branch() == "main"


def test_detached_head_has_no_branch(repo):
    repo("checkout", "-q", "--detach")

    assert GitCheckout(repo.root).branch() is None
    assert GitCheckout(repo.root).head() == repo("rev-parse", "main")


def test_no_repository(tmp_path):
    error = refusal(tmp_path)

    assert error.code == "not-a-repository"
    assert error.hint.startswith("git init")


def test_directory_that_does_not_exist(tmp_path):
    assert refusal(tmp_path / "nowhere").code == "not-a-repository"


def test_bare_repository_and_inside_of_git_directory(repo, tmp_path):
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "bare.git"], check=True)

    assert refusal(tmp_path / "bare.git").code == "bare-repository"
    assert refusal(repo.root / ".git").code == "bare-repository"


def test_no_commit_yet(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)

    with pytest.raises(InputError) as caught:
        GitCheckout(tmp_path).head()

    assert caught.value.code == "no-commit"


def test_no_git_program(repo, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Unavailable) as caught:
        GitCheckout(repo.root)

    assert caught.value.code == "tool-missing"


def test_git_that_does_not_answer_is_killed(repo, monkeypatch, tmp_path):
    checkout = GitCheckout(repo.root)
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "GIT_DEADLINE_S", 0.1)

    for ask in (checkout.head, checkout.branch, lambda: checkout.changed_paths("policies")):
        with pytest.raises(Unavailable) as caught:
            ask()
        assert caught.value.code == "command-timeout"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a directory away")
def test_repository_of_another_user(repo):
    os.chown(repo.root, 12345, 12345)
    os.chown(repo.root / ".git", 12345, 12345)

    error = refusal(repo.root)

    assert error.code == "git-owner"
    assert error.hint == f"git config --global --add safe.directory {repo.root}"


def test_sha256_and_a_path_that_looks_like_a_variable(tmp_path):
    root = tmp_path / "$HOME policies"
    made = subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", root], check=False)
    if made.returncode:
        pytest.skip("this git knows no SHA-256")
    (root / "a").write_text("a\n")
    for words in (["add", "a"], ["-c", "user.name=U", "-c", "user.email=u@example.org", "commit", "-q", "-m", "a"]):
        subprocess.run(["git", *words], cwd=root, check=True)

    checkout = GitCheckout(root)

    assert checkout.root == root
    assert len(checkout.head()) == 64
    assert checkout.branch() == "main"


def test_linked_work_tree_is_its_own_root(repo, tmp_path):
    repo("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")

    checkout = GitCheckout(tmp_path / "linked")

    assert (checkout.root, checkout.branch()) == (tmp_path / "linked", "side")


def test_damaged_repository_has_not_nothing_changed(repo):
    checkout = GitCheckout(repo.root)
    (repo.root / ".git/index").write_bytes(b"no index")

    with pytest.raises(Unavailable) as caught:
        checkout.changed_paths("policies")

    assert caught.value.code == "git-failed"


def test_gitpython_is_imported_only_to_read_a_repository():
    code = "import sys, schedops.adapters.forge.git, schedops.cli.main, schedops.cli.pr; sys.exit('git' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_changed_paths_are_modified_staged_and_untracked_below_the_directory(repo):
    repo.commit("policies/library/fifo/policy.yaml", "name: fifo\n")
    repo.write("policies/fleet.yaml", "kernels: [x]\n")
    repo.write("policies/library/fifo/new file.c", "int x;\n")
    repo.write("policies/workloads/w.yaml", "name: w\n")
    repo("add", "policies/workloads/w.yaml")
    repo.write("elsewhere.txt", "x\n")
    (repo.root / "policies/library/fifo/policy.yaml").unlink()

    assert GitCheckout(repo.root).changed_paths("policies") == (
        "policies/fleet.yaml",
        "policies/library/fifo/new file.c",
        "policies/library/fifo/policy.yaml",
        "policies/workloads/w.yaml",
    )
    assert GitCheckout(repo.root).changed_paths("policies/library/none") == ()


def test_callers_git_environment_is_not_inherited(repo, tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    for name, text in {"COUNT": "1", "KEY_0": "core.bare", "VALUE_0": "true"}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", text)
    monkeypatch.setenv("GIT_PYTHON_GIT_EXECUTABLE", "/bin/false")

    assert GitCheckout(repo.root).head() == repo("rev-parse", "HEAD")
    assert [name for name in os.environ if name.startswith("GIT_")] == []


def test_configured_programs_are_not_run(repo, tmp_path):
    ran = tmp_path / "ran"
    repo("config", "core.fsmonitor", f"touch '{ran}'; false")

    assert GitCheckout(repo.root).changed_paths("policies") == ()
    assert not ran.exists()


def test_index_is_not_written(repo):
    index = (repo.root / ".git/index").read_bytes()
    os.utime(repo.root / "policies/fleet.yaml", (0, 0))

    assert GitCheckout(repo.root).changed_paths("policies") == ()
    assert (repo.root / ".git/index").read_bytes() == index
