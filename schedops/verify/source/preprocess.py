"""A policy with its own headers as one text without macros, every token of which knows its place in a file.

Conditional code that the file itself decides is decided; of the rest both branches are kept and marked.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schedops.verify.source.arithmetic import Unknown, of_tokens
from schedops.verify.source.builtins import MACROS
from schedops.verify.source.macros import MAX_TOKENS, Expander, Macro
from schedops.verify.source.tokens import NAME, SIGN, STRING, Text, Token, lines

_MAX_INCLUDES = 64
MAX_READ = 100_000  # tokens, of the source and its headers
_MAX_ATTRIBUTE = 64
_MAX_NESTED = 200
_DROPPED_WITH_ARGUMENTS = frozenset({"__attribute__", "__attribute", "_Pragma", "asm", "__asm__", "_Static_assert"})


@dataclass(frozen=True, slots=True)
class Expanded:
    """What tree-sitter is given.

    :param text: ASCII, so that offsets in bytes are offsets in characters.
    :param sections: offsets at which a ``SEC("...")`` stood, with its text.
    :param cut: there was more than could be looked at.
    """

    text: str
    starts: Sequence[int]
    tokens: Sequence[Token]
    sections: Sequence[tuple[int, str, Token]]
    macros: Mapping[str, Macro]
    cut: bool

    def token_at(self, offset: int) -> Token | None:
        """The token at or after an offset of the text."""
        index = bisect.bisect_left(self.starts, offset)
        if index and offset < self.starts[index - 1] + len(self.tokens[index - 1].text):
            index -= 1
        return self.tokens[index] if index < len(self.tokens) else (self.tokens[-1] if self.tokens else None)

    def tokens_in(self, start: int, end: int) -> Sequence[Token]:
        """The tokens of a stretch of the text."""
        return self.tokens[bisect.bisect_left(self.starts, start) : bisect.bisect_left(self.starts, end)]


@dataclass(slots=True)
class _Branch:
    taken: bool | None  # None: nobody knows
    done: bool  # an earlier branch of the same #if was taken for sure
    outer_live: bool
    guard: bool = False


@dataclass(slots=True)
class _Reader:
    headers: Mapping[str, Text]
    macros: dict[str, Macro]
    seen: set[str] = field(default_factory=set)
    stack: list[_Branch] = field(default_factory=list)
    regions: int = 0
    region: int = 0
    includes: int = 0
    pending: list[Token] = field(default_factory=list)
    out: list[Token] = field(default_factory=list)
    expander: Expander = field(init=False)
    own: set[str] = field(default_factory=set)
    read_tokens: int = 0
    builtin: frozenset[str] = frozenset()
    main: Text | None = None

    def __post_init__(self) -> None:
        self.expander = Expander(self.macros)

    @property
    def live(self) -> bool:
        return not self.stack or (self.stack[-1].outer_live and self.stack[-1].taken is not False)

    def read(self, source: Text) -> None:
        """All lines of a file, as long as there is room."""
        for directive, line in lines(source):
            self.read_tokens += len(line)
            if self.expander.cut or self.read_tokens > MAX_READ or self.expander.produced > MAX_TOKENS:
                self.expander.cut = True
                return
            if directive:
                self.flush()
                self._directive(line)
            elif self.live:
                for token in line:
                    token.region = self.region
                self.pending.extend(line)

    def flush(self) -> None:
        """Expand what was read so far with the macros as they are now."""
        self.out.extend(self.expander.expand(self.pending))
        self.pending = []

    def _directive(self, line: list[Token]) -> None:
        word = line[1].text if len(line) > 1 else ""
        if word in ("if", "ifdef", "ifndef"):
            self._open(word, line[2:])
        elif word in ("elif", "elifdef", "elifndef", "else") and self.stack:
            self._turn(word, line[2:])
        elif word == "endif" and self.stack:
            self.stack.pop()
        elif not self.live:
            return
        elif word == "define":
            self._define(line[2:])
        elif word == "undef" and len(line) > 2:
            self.macros.pop(line[2].text, None)
        elif word == "include":
            self._include(line[2:])
        self.region = self._region_now()

    def _region_now(self) -> int:
        unsure = any(branch.taken is None and not branch.guard for branch in self.stack)
        if not unsure:
            return 0
        self.regions += 1
        return self.regions

    def _open(self, word: str, rest: list[Token]) -> None:
        if len(self.stack) >= _MAX_NESTED:
            self.expander.cut = True
            return
        taken = self._holds(word, rest) if self.live else False
        guard = False
        if taken is None and word == "ifndef":
            taken = guard = True  # an include guard, or a default that may be set from outside
        self.stack.append(_Branch(taken, taken is True, self.live, guard))

    def _turn(self, word: str, rest: list[Token]) -> None:
        branch = self.stack[-1]
        if branch.done:
            branch.taken = False
        elif word == "else":
            branch.taken = True if branch.taken is False else None
        else:
            how = {"elif": "if", "elifdef": "ifdef", "elifndef": "ifndef"}[word]
            holds = self._holds(how, rest)
            branch.taken = None if branch.taken is None else holds
            branch.done = branch.taken is True

    def _holds(self, word: str, rest: list[Token]) -> bool | None:
        if word in ("ifdef", "ifndef"):
            if not rest or rest[0].text not in self.own:
                return None
            return (rest[0].text in self.macros) == (word == "ifdef")
        try:
            return bool(of_tokens([token.text for token in self.expander.expand(self._defined(rest))]))
        except Unknown:
            return None

    def _defined(self, tokens: list[Token]) -> list[Token]:
        out: list[Token] = []
        index = 0
        while index < len(tokens):
            names = [token for token in tokens[index + 1 : index + 3] if token.kind == NAME]
            if tokens[index].text == "defined" and names:
                known = names[0].text in self.own
                text = ("1" if names[0].text in self.macros else "0") if known else "__unknown__"
                out.append(Token("number" if known else NAME, text, names[0].origin, names[0].start, names[0].end))
                index += 4 if tokens[index + 1].text == "(" else 2
            else:
                out.append(tokens[index])
                index += 1
        return out

    def _define(self, rest: list[Token]) -> None:
        if not rest or rest[0].kind != NAME:
            return
        name, body = rest[0], rest[1:]
        if name.text in self.builtin and name.origin is not self.main:
            return  # libbpf's or scx's own definition, which hides what the rules look for
        params: tuple[str, ...] | None = None
        more: str | None = None
        if body and body[0].text == "(" and body[0].start == name.end:
            params, more, body = _parameters(body)
        before = self.macros.get(name.text)
        unsure = self.region != 0 and before is not None and name.text in self.own
        if before is not None and unsure and params is None:
            before.sure = before.sure and [t.text for t in before.body] == [t.text for t in body]
            return
        self.own.add(name.text)
        self.macros[name.text] = Macro(name.text, body, params, more, name)

    def _include(self, rest: list[Token]) -> None:
        if not rest or rest[0].kind != STRING:
            return
        name = rest[0].text.strip('"').removeprefix("./")
        header = self.headers.get(name) or self.headers.get(name.rsplit("/", 1)[-1])
        if header is None or header.name in self.seen or self.includes >= _MAX_INCLUDES:
            return
        self.includes += 1
        self.seen.add(header.name)
        stack, self.stack = self.stack, []
        self.read(header)
        self.stack = stack


def _parameters(body: list[Token]) -> tuple[tuple[str, ...], str | None, list[Token]]:
    names: list[str] = []
    more: str | None = None
    for index, token in enumerate(body):
        if token.text == ")":
            return tuple(names), more, body[index + 1 :]
        if token.kind == NAME:
            names.append(token.text)
        elif token.text == "...":
            previous = body[index - 1]
            more = names.pop() if previous.kind == NAME and names else "__VA_ARGS__"
    return tuple(names), more, []


def preprocess(source: Text, headers: Sequence[Text]) -> Expanded:
    """The source with its headers, expanded."""
    by_name = {header.name: header for header in headers}
    by_name |= {header.name.rsplit("/", 1)[-1]: header for header in headers}
    builtin = Text.of("<built-in>", MACROS)
    reader = _Reader(by_name, {})
    reader.read(builtin)
    reader.own.clear()
    reader.builtin = frozenset(reader.macros)
    reader.main = source
    reader.read(source)
    reader.flush()
    return _laid_out(reader)


def _laid_out(reader: _Reader) -> Expanded:
    kept: list[Token] = []
    sections: list[tuple[int, str, Token]] = []
    starts: list[int] = []
    offset = index = 0
    tokens = reader.out[: MAX_TOKENS + 1]
    while index < len(tokens):
        token = tokens[index]
        if token.kind == NAME and token.text in ("SEC", *_DROPPED_WITH_ARGUMENTS):
            end = _closing(tokens, index + 1)
            if end is not None:
                if token.text == "SEC":
                    text = "".join(part.text[1:-1] for part in tokens[index + 2 : end] if part.kind == STRING)
                    sections.append((offset, text, token))
                index = end + 1
                continue
        if not token.text.isascii():
            token = Token(token.kind, token.text.encode("ascii", "replace").decode(), token.origin, token.start,
                          token.end, token.region)  # fmt: skip
        kept.append(token)
        starts.append(offset)
        offset += len(token.text) + 1
        index += 1
    text = " ".join(token.text for token in kept)
    cut = reader.expander.cut or len(reader.out) > MAX_TOKENS
    return Expanded(text, starts, kept, sections, reader.macros, cut)


def _closing(tokens: Sequence[Token], index: int) -> int | None:
    while index < len(tokens) and tokens[index].text in ("volatile", "__volatile__", "goto"):
        index += 1
    if index >= len(tokens) or tokens[index].text != "(":
        return None
    depth = 0
    for position in range(index, min(len(tokens), index + _MAX_ATTRIBUTE)):
        if tokens[position].kind == SIGN:
            depth += {"(": 1, ")": -1}.get(tokens[position].text, 0)
            if depth == 0:
                return position
    return None
