"""Which repository, which API, and that the token goes to no other host."""

from __future__ import annotations

import pytest

from schedops.adapters.forge.github_where import find, github_forge
from schedops.errors import InputError

ENTERPRISE = {"GITHUB_API_URL": "https://git.example.org/api/v3"}


@pytest.mark.parametrize(
    ("url", "environ", "api", "site"),
    [
        ("https://github.com/octo/policies.git", {}, "https://api.github.com", "https://github.com"),
        ("https://user:secret@github.com/octo/policies", {}, "https://api.github.com", "https://github.com"),
        ("git@github.com:octo/policies.git", {}, "https://api.github.com", "https://github.com"),
        ("ssh://git@github.com:22/octo/policies/", {}, "https://api.github.com", "https://github.com"),
        ("git@git.example.org:octo/policies", ENTERPRISE, "https://git.example.org/api/v3", "https://git.example.org"),
    ],
)
def test_remote(repo, url, environ, api, site):
    repo("remote", "add", "origin", url)

    found = find(repo.root, repository=None, environ=environ)

    assert (found.api, found.site, found.repository) == (api, site, "octo/policies")


@pytest.mark.parametrize(
    ("url", "environ", "code"),
    [
        ("https://evil.example/octo/policies", {}, "other-host"),
        ("https://github.com.evil.example/octo/policies", {}, "other-host"),
        ("https://github.com/octo/policies", ENTERPRISE, "other-host"),
        ("/srv/git/policies.git", {}, "no-remote"),
        ("https://github.com/octo", {}, "no-remote"),
        ("https://github.com/octo/pol icies", {}, "bad-repository"),
        ("https://github.com/octo/..", {}, "bad-repository"),
        ("https://github.com/octo/policies", {"GITHUB_API_URL": "http://git.example.org/api/v3"}, "bad-api-url"),
        ("https://github.com/octo/policies", {"GITHUB_API_URL": "https://a:b@git.example.org"}, "bad-api-url"),
    ],
)
def test_refused(repo, url, environ, code):
    repo("remote", "add", "origin", url)

    with pytest.raises(InputError) as caught:
        find(repo.root, repository=None, environ=environ)

    assert caught.value.code == code


def test_no_remote_and_a_name_that_is_given(repo):
    with pytest.raises(InputError) as caught:
        find(repo.root, repository=None, environ={})

    assert caught.value.code == "no-remote"
    assert find(repo.root, repository="octo/policies", environ={}).repository == "octo/policies"


@pytest.mark.parametrize("token", [{}, {"GITHUB_TOKEN": " "}])
def test_no_token(repo, token):
    with pytest.raises(InputError) as caught:
        github_forge(repo.root, repository="octo/policies", environ=token)

    assert caught.value.code == "no-token"
