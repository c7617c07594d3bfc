"""What the mutation operators look at: a parsed policy, its functions, calls and conditions, and edits of its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_c
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_c.language()))
# The grammar does not know these: a loop macro before its body, and a callback made by a macro.
_LOOPS = ("bpf_for", "bpf_for_each", "bpf_repeat")
_OPS = re.compile(rb"\bOP(?:_S|_SLEEPABLE)?\((\w+)((?:,[^()]*)?)\)")


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes *start* to *end* become *new*; *what* says so in words."""

    start: int
    end: int
    new: str
    what: str


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed text. Positions of nodes are positions in *data*."""

    data: bytes
    root: Node

    def text(self, node: Node) -> str:
        """The characters of a node."""
        return self.data[node.start_byte : node.end_byte].decode()

    def line(self, position: int) -> int:
        """Counted from 1."""
        return self.data.count(b"\n", 0, position) + 1

    def edited(self, edit: Edit) -> str:
        """The whole text with one edit made."""
        return (self.data[: edit.start] + edit.new.encode() + self.data[edit.end :]).decode()


def parse(text: str) -> Source:
    """Macros that hide functions and loops are seen through; positions stay those of *text*."""
    data = text.encode()
    seen = _OPS.sub(_plain, data)
    for name in _LOOPS:
        seen = re.sub(rb"\b%s(?=\()" % name.encode(), b"while".ljust(len(name)), seen)
    seen = re.sub(rb"\bscx_dsq\b(?=,)", b"1".ljust(7), seen)
    return Source(data, _PARSER.parse(seen).root_node)


def nodes(node: Node, *kinds: str) -> Iterator[Node]:
    """All below *node* (and itself) of these kinds, in order of the text."""
    if node.type in kinds:
        yield node
    for child in node.children:
        yield from nodes(child, *kinds)


def calls(source: Source, *names: str) -> Iterator[tuple[Node, list[Node]]]:
    """Calls of functions of these names, with their arguments."""
    for node in nodes(source.root, "call_expression"):
        called = node.child_by_field_name("function")
        given = node.child_by_field_name("arguments")
        if called is not None and given is not None and source.text(called) in names:
            yield node, [child for child in given.named_children if child.type != "comment"]


def statement(node: Node) -> Node | None:
    """The expression statement that *node* is the whole of."""
    parent = node.parent
    return parent if parent is not None and parent.type == "expression_statement" else None


def body_of(source: Source, name: str) -> Node | None:
    """The block of the function called *name* (without the policy's prefix: ``enqueue`` finds ``fifo_enqueue``)."""
    for node in nodes(source.root, "function_definition"):
        head = source.text(node)[:200]
        if re.search(rf"\b\w*_{name}\b", head.split("{")[0]):
            return node.child_by_field_name("body")
    return None


def _plain(found: re.Match[bytes]) -> bytes:
    """``OP(fifo_init, int a)`` as ``   fifo_init( int a)``, of the same length."""
    name, rest = found[1], found[2]
    bare = name + b"(" + (b" " + rest[1:] if rest else b"") + b")"
    return bare.rjust(len(found[0]))
