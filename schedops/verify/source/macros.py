"""Macros: what they stand for, and the text with all of them replaced. Bounded in depth and in size."""

from __future__ import annotations

from dataclasses import dataclass, field

from schedops.verify.source.tokens import NAME, SIGN, STRING, Token, made

MAX_TOKENS = 60_000
_MAX_DEPTH = 24
_MAX_SCANNED = 300_000
_MAX_TEXT = 400


@dataclass(slots=True)
class Macro:
    """``#define name body``, or ``#define name(params) body``.

    :param sure: False when conditional code may define it otherwise.
    """

    name: str
    body: list[Token]
    params: tuple[str, ...] | None
    rest: str | None  # the parameter that takes all further arguments
    at: Token
    sure: bool = True


@dataclass(slots=True)
class Expander:
    """Replaces macros.

    :ivar cut: something was left as it stood because there was too much of it.
    """

    macros: dict[str, Macro]
    produced: int = 0
    scanned: int = 0
    cut: bool = False
    _active: set[str] = field(default_factory=set)

    def expand(self, tokens: list[Token], depth: int = 0) -> list[Token]:
        """All macros in *tokens* replaced."""
        if self.cut or not any(token.kind == NAME and token.text in self.macros for token in tokens):
            self._count(len(tokens))
            return tokens
        out: list[Token] = []
        index, length = 0, len(tokens)
        while index < length and not self.cut:  # what is cut is not looked at
            token = tokens[index]
            macro = self.macros.get(token.text) if token.kind == NAME else None
            if macro is None or token.text in self._active or not self._room(depth):
                out.append(token)
                self._count(1)
                index += 1
                continue
            if macro.params is None:
                out.extend(self._object_like(macro, token, depth))
                index += 1
                continue
            arguments, after = self._arguments(tokens, index + 1)
            if arguments is None:
                out.append(token)
                self._count(1)
                index += 1
                continue
            out.extend(self._function_like(macro, token, arguments, depth))
            index = after
        return out

    def _object_like(self, macro: Macro, token: Token, depth: int) -> list[Token]:
        if not macro.sure:
            return [token]
        self._active.add(macro.name)
        try:
            return self.expand([part.at(token) for part in macro.body], depth + 1)
        finally:
            self._active.discard(macro.name)

    def _function_like(self, macro: Macro, token: Token, arguments: list[list[Token]], depth: int) -> list[Token]:
        given = _bind(macro, arguments)
        expanded = {name: self.expand(value, depth + 1) for name, value in given.items()}
        body = _substitute(macro, token, given, expanded)
        self._active.add(macro.name)
        try:
            return self.expand(body, depth + 1)
        finally:
            self._active.discard(macro.name)

    def _room(self, depth: int) -> bool:
        if depth < _MAX_DEPTH and self.produced < MAX_TOKENS:
            return True
        self.cut = True
        return False

    def _count(self, number: int) -> None:
        self.produced += number

    def _arguments(self, tokens: list[Token], index: int) -> tuple[list[list[Token]] | None, int]:
        if index >= len(tokens) or tokens[index].text != "(" or self.scanned > _MAX_SCANNED:
            self.cut = self.cut or self.scanned > _MAX_SCANNED
            return None, index
        arguments, after = _split(tokens, index)
        self.scanned += (after if arguments is not None else len(tokens)) - index
        return arguments, after


def _split(tokens: list[Token], index: int) -> tuple[list[list[Token]] | None, int]:
    depth = 0
    arguments: list[list[Token]] = []
    current: list[Token] = []
    for position in range(index, len(tokens)):
        text = tokens[position].text if tokens[position].kind == SIGN else ""
        if text in ("(", "[", "{"):
            depth += 1
            if depth == 1:
                continue
        elif text in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                arguments.append(current)
                return arguments, position + 1
        elif text == "," and depth == 1:
            arguments.append(current)
            current = []
            continue
        current.append(tokens[position])
    return None, index


def _bind(macro: Macro, arguments: list[list[Token]]) -> dict[str, list[Token]]:
    names = macro.params or ()
    given = {name: arguments[at] if at < len(arguments) else [] for at, name in enumerate(names)}
    if macro.rest is not None:
        rest: list[Token] = []
        for extra in arguments[len(names) :]:
            if rest or extra is not arguments[len(names)]:
                rest.append(made(SIGN, ",", extra[0] if extra else macro.at))
            rest.extend(extra)
        given[macro.rest] = rest
    return given


def _substitute(
    macro: Macro, token: Token, given: dict[str, list[Token]], expanded: dict[str, list[Token]]
) -> list[Token]:
    out: list[Token] = []
    body = macro.body
    index = 0
    while index < len(body) and len(out) <= MAX_TOKENS:
        part = body[index]
        follows = body[index + 1] if index + 1 < len(body) else None
        if part.text == "#" and follows is not None and follows.text in given:
            text = (
                " ".join(piece.text for piece in given[follows.text][:_MAX_TEXT])
                .replace("\\", "\\\\")
                .replace('"', '\\"')
            )
            out.append(made(STRING, f'"{text[:_MAX_TEXT]}"', token))
            index += 2
        elif part.text == "##":
            after = given.get(follows.text, [follows.at(token)]) if follows is not None else []
            _paste(out, after, macro.rest is not None and follows is not None and follows.text == macro.rest)
            index += 2
        else:
            pasted_next = follows is not None and follows.text == "##"
            source = given if pasted_next else expanded
            out.extend(source.get(part.text, [part.at(token)]) if part.kind == NAME else [part.at(token)])
            index += 1
    return out


def _paste(out: list[Token], after: list[Token], is_rest: bool) -> None:  # noqa: FBT001 - private, one caller
    if is_rest and out and out[-1].text == ",":
        if not after:
            out.pop()
        out.extend(after)
    elif not after:
        return
    elif not out:
        out.extend(after)
    else:
        left = out.pop()
        out.append(made(left.kind, (left.text + after[0].text)[:_MAX_TEXT], after[0] if left.kind != NAME else left))
        out.extend(after[1:])
