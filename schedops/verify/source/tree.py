"""The syntax tree, copied out of tree-sitter once: small nodes that know their parent and their place."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter
import tree_sitter_c

from schedops.model.verification import Place
from schedops.verify.source.preprocess import Expanded

_LANGUAGE = tree_sitter.Language(tree_sitter_c.language())
MAX_NODES = 80_000
MAX_DEPTH = 220
_SHOWN = 60
_TYPE = re.compile(
    r"\( ((__)?[usbl]e?(8|16|32|64)|u?int(8|16|32|64)_t|size_t|ssize_t|uintptr_t|bool|pid_t|ulong|uint) \)"
)
# Whose children say nothing that a rule reads.
_LEAVES = frozenset({"string_literal", "char_literal", "system_lib_string", "attribute_specifier"})


class Node:
    """A node of the tree. ``kids`` are its named children only; operators are in the text between them."""

    __slots__ = ("doc", "end", "index", "kids", "kind", "parent", "start", "token")

    def __init__(self, doc: Expanded, kind: str, start: int, end: int, parent: Node | None) -> None:
        self.doc = doc
        self.kind = kind
        self.start = start
        self.end = end
        self.parent = parent
        self.kids: list[Node] = []

    @property
    def text(self) -> str:
        """As it stands after expansion, with one blank between tokens."""
        return self.doc.text[self.start : self.end]

    @property
    def sign(self) -> str:
        """The operator of an expression: what stands between its parts, or before its only one."""
        if len(self.kids) >= 2:
            return self.doc.text[self.kids[0].end : self.kids[1].start].strip()
        if self.kids:
            before = self.doc.text[self.start : self.kids[0].start].strip()
            return before or self.doc.text[self.kids[0].end : self.end].strip()
        return ""

    @property
    def place(self) -> Place:
        """Where the user wrote it."""
        token = self.doc.token_at(self.start)
        return token.origin.place(token.start) if token is not None else Place(file="")

    @property
    def conditional(self) -> bool:
        """In code that is compiled only sometimes."""
        token = self.doc.token_at(self.start)
        return token is not None and token.region != 0

    @property
    def shown(self) -> str:
        """As the user wrote it, macros and all, on one line and not too long."""
        tokens = self.doc.tokens_in(self.start, self.end)
        if not tokens:
            return ""
        first, last = tokens[0], tokens[-1]
        if first.origin is last.origin and first.start <= last.start:
            text = first.origin.text[first.start : last.end]
        else:
            text = self.text
        text = " ".join(text.split())
        return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of the text."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.kids))

    def find(self, *kinds: str) -> Iterator[Node]:
        """All of some kinds, this node included."""
        return (node for node in self.walk() if node.kind in kinds)

    def above(self) -> Iterator[Node]:
        """The nodes around this one, the nearest first."""
        node = self.parent
        while node is not None:
            yield node
            node = node.parent

    def has_text(self, *names: str) -> bool:
        """Does one of these names occur in it?"""
        return any(node.text in names for node in self.walk() if node.kind in ("identifier", "field_identifier"))


# How many parts each kind has at least. In broken code some are missing; such a node is broken, not of that kind.
_PARTS = {
    "call_expression": 2,
    "binary_expression": 2,
    "assignment_expression": 2,
    "conditional_expression": 2,
    "field_expression": 2,
    "subscript_expression": 2,
    "cast_expression": 2,
    "pointer_expression": 1,
    "unary_expression": 1,
    "update_expression": 1,
    "if_statement": 2,
    "while_statement": 2,
    "do_statement": 2,
    "for_statement": 1,
    "switch_statement": 2,
    "labeled_statement": 1,
    "goto_statement": 1,
    "enumerator": 1,
    "init_declarator": 2,
    "function_definition": 2,
    "initializer_pair": 2,
}


def parse(doc: Expanded) -> tuple[Node, bool]:
    """The tree, and whether something had to be left out because there was too much."""
    root, cut = _copied(doc)
    for node in root.walk():
        if len(node.kids) < _PARTS.get(node.kind, 0):
            node.kind = "ERROR"
        elif node.kind == "call_expression":
            _cast(node)
    return root, cut


def _cast(node: Node) -> None:
    """`(u64)(a + b)` looks like a call of `(u64)` to who does not know the types."""
    target, arguments = node.kids[0], node.kids[-1]
    if target.kind == "parenthesized_expression" and len(arguments.kids) == 1 and _TYPE.fullmatch(target.text):
        node.kind = "cast_expression"
        node.kids = [target, arguments.kids[0]]
        arguments.kids[0].parent = node


def _copied(doc: Expanded) -> tuple[Node, bool]:
    raw = tree_sitter.Parser(_LANGUAGE).parse(doc.text.encode("ascii", "replace"))
    cursor = raw.walk()
    top = cursor.node
    root = Node(doc, "translation_unit", 0, len(doc.text), None)
    if top is None or not cursor.goto_first_child():
        return root, False
    parent, depth, count, cut = root, 0, 0, False
    while True:
        here = cursor.node
        assert here is not None
        node: Node | None = None
        if here.is_named:
            count += 1
            node = Node(doc, here.type, here.start_byte, here.end_byte, parent)
            parent.kids.append(node)
        deeper = node is not None and node.kind not in _LEAVES and depth < MAX_DEPTH
        cut = cut or depth >= MAX_DEPTH
        if count > MAX_NODES:
            return root, True
        if deeper and node is not None and cursor.goto_first_child():
            parent, depth = node, depth + 1
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent() or depth == 0:
                return root, cut
            depth -= 1
            parent = parent.parent or root


def bare(node: Node) -> Node:
    """Without parentheses and casts around it."""
    while True:
        if (
            node.kind == "parenthesized_expression"
            and len(node.kids) == 1
            and node.kids[0].kind != "compound_statement"
        ):
            node = node.kids[0]
        elif node.kind == "cast_expression" and len(node.kids) == 2:
            node = node.kids[1]
        else:
            return node
