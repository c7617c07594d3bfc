from __future__ import annotations

from pathlib import Path

from schedops.adapters.toolbox.apt_sources import (
    Source,
    archive_of,
    debian_only,
    machine_sources,
    parse_deb822,
    parse_one_line,
    render,
)

DEB822 = """\
Types: deb deb-src
# a comment
URIs: http://deb.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.example.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://deb.example.org/debian
Suites: bookworm
Components: main

Enabled: no
Types: deb
URIs: http://off.example.org/debian
Suites: bookworm
Components: main
"""
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_deb822() -> None:
    assert parse_deb822(DEB822) == [
        Source(
            uri="http://deb.example.org/debian",
            suites=("bookworm", "bookworm-updates"),
            components=("main", "contrib"),
            signed_by=KEYRING,
        ),
        Source(
            uri="http://deb.example.org/debian-security",
            suites=("bookworm-security",),
            components=("main",),
            signed_by=KEYRING,
        ),
    ]


def test_deb822_with_the_key_inside() -> None:
    text = (
        "Types: deb\nURIs: http://x.example.org/debian\nSuites: sid\nComponents: main\n"
        "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n"
    )
    (source,) = parse_deb822(text)
    assert source.signed_by.strip().startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----\n.\nabc")
    assert debian_only([source]) == (source,)
    assert parse_deb822(render([source])) == [source]


def test_one_line() -> None:
    text = f"""
    # deb http://off.example.org/debian bookworm main
    deb [arch=amd64 signed-by={KEYRING}] https://m.example.org/debian/ bookworm main non-free # note
    deb-src https://m.example.org/debian bookworm main
    deb http://plain.example.org/debian trixie main
    deb broken
    """
    assert parse_one_line(text) == [
        Source(
            uri="https://m.example.org/debian/",
            suites=("bookworm",),
            components=("main", "non-free"),
            signed_by=KEYRING,
        ),
        Source(uri="http://plain.example.org/debian", suites=("trixie",), components=("main",)),
    ]


def test_archives_of_others_are_not_debians() -> None:
    others = [
        Source(uri="https://download.example.com/linux/debian", suites=("bookworm",), components=("stable",)),
        Source(uri="https://deb.example.com/node_20.x", suites=("nodistro",), components=("main",)),
        Source(
            uri="https://apt.example.com/debian",
            suites=("bookworm",),
            components=("main",),
            signed_by="/usr/share/keyrings/example.gpg",
        ),
        Source(uri="https://apt.example.com/tool", suites=("stable",), components=("main",)),
        Source(uri="cdrom:[Debian]/", suites=("bookworm",), components=("main",), signed_by=KEYRING),
        Source(uri="http://a.example.org/ubuntu", suites=("noble",), components=("main",)),
    ]
    assert debian_only(others) == ()


def test_a_mirror_list_of_a_cloud_image_is_debians() -> None:
    source = Source(uri="mirror+file:///etc/apt/mirrors/debian.list", suites=("trixie",), components=("main",))
    assert debian_only([source]) == (source,)


def test_the_main_archive_is_not_the_security_one() -> None:
    security, main = parse_deb822(DEB822)[1], parse_deb822(DEB822)[0]
    assert archive_of([security, main]) == main
    assert archive_of([security]) is None


def test_files_of_a_machine(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text("deb http://one.example.org/debian sid main\n")
    (tmp_path / "sources.list.d" / "debian.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "old.list.save").write_text("deb http://no.example.org/debian sid main\n")
    assert [source.uri for source in machine_sources(tmp_path)] == [
        "http://one.example.org/debian",
        "http://deb.example.org/debian",
        "http://deb.example.org/debian-security",
    ]
    assert machine_sources(tmp_path / "none") == ()


def test_what_is_rendered_never_asks_to_trust() -> None:
    assert "rusted" not in render(parse_deb822(DEB822 + "Trusted: yes\n"))
