"""Which Debian archive this machine uses, read from its own apt sources (deb822 and one-line)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

KEYRINGS = (
    Path("/usr/share/keyrings/debian-archive-keyring.pgp"),
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"),
)
_SUITE = re.compile(
    r"(bookworm|trixie|forky|duke|sid|oldstable|stable|testing|unstable|experimental)(-updates|-security|-backports)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One archive and suites of it.

    :param signed_by: keyring path, or an ASCII-armoured key as deb822 has it; empty means apt's own trusted keys.
    """

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""


def machine_sources(etc: Path = Path("/etc/apt")) -> tuple[Source, ...]:
    """Every enabled binary source of this machine, in file order; unreadable files are passed over."""
    found: list[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if path.suffix == ".sources":
            found += parse_deb822(text)
        elif path.suffix == ".list":
            found += parse_one_line(text)
    return tuple(found)


def debian_only(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Those that are Debian's own archive, not somebody's packages *for* Debian (whose paths end in /debian too)."""
    return tuple(source for source in sources if _is_debian(source))


def archive_of(sources: Iterable[Source]) -> Source | None:
    """The main archive (not the security one), from which other suites are to be had; None when there is none."""
    for source in sources:
        if not any(suite.partition("/")[0].endswith("-security") for suite in source.suites):
            return source
    return None


def parse_deb822(text: str) -> list[Source]:
    """Stanzas of a ``*.sources`` file (sources.list(5))."""
    sources = []
    for stanza in re.split(r"\n[ \t]*\n", text):
        fields = _fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        sources += _from_fields(fields)
    return sources


def parse_one_line(text: str) -> list[Source]:
    """``deb [option=value ...] uri suite component...`` lines."""
    pattern = re.compile(r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)(?P<components>[^#]*)")
    sources = []
    for line in text.splitlines():
        match = pattern.match(line.strip())
        if match is None:
            continue
        options = dict(option.partition("=")[::2] for option in (match["options"] or "").split())
        sources.append(
            Source(
                uri=match["uri"],
                suites=(match["suite"],),
                components=tuple(match["components"].split()),
                signed_by=options.get("signed-by", ""),
            )
        )
    return sources


def render(sources: Iterable[Source]) -> str:
    """The sources as a deb822 file. Signatures are apt's business: nothing here can switch them off."""
    return "\n".join(_stanza(source) for source in sources)


def _fields(stanza: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1] in (" ", "\t") and name:
            fields[name] += "\n" + line.strip()
        elif ":" in line:
            name, _, value = line.partition(":")
            name = name.strip().lower()
            fields[name] = value.strip()
    return fields


def _from_fields(fields: Mapping[str, str]) -> list[Source]:
    return [
        Source(
            uri=uri,
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by=fields.get("signed-by", "").strip(),
        )
        for uri in fields.get("uris", "").split()
    ]


def _is_debian(source: Source) -> bool:
    if not source.uri.startswith(("http:", "https:", "mirror", "file:", "copy:", "tor")):
        return False
    if "main" not in source.components or not any(_SUITE.match(suite) for suite in source.suites):
        return False
    if source.signed_by:
        return "debian-archive" in source.signed_by or source.signed_by.startswith("-----BEGIN")
    return re.search(r"/debian(-security)?(\.list)?/?$", source.uri) is not None


def _stanza(source: Source) -> str:
    lines = [
        "Types: deb",
        f"URIs: {source.uri}",
        f"Suites: {' '.join(source.suites)}",
        f"Components: {' '.join(source.components)}",
    ]
    if source.signed_by:
        key = source.signed_by.replace("\n", "\n ")
        lines.append(f"Signed-By:\n {key}" if "\n" in key else f"Signed-By: {key}")
    return "\n".join(lines) + "\n"
