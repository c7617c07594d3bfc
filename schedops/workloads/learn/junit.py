"""Durations of tests out of a JUnit XML report: elapsed seconds, for that is all that these reports say."""

from __future__ import annotations

import math
import re
from typing import Any
from xml.parsers import expat

from schedops.errors import InputError
from schedops.workloads.hints import WALL, Measured
from schedops.workloads.learn.job_key import key_of_name

MAX_DEPTH = 64
_MAX_US = 10**13  # four months
_SECONDS = re.compile(r"[0-9]{1,10}(,[0-9]{3}){0,3}(\.[0-9]{0,12})?")
_NOTHING_LEARNT = ("failure", "error", "skipped")


def report_times(data: bytes, *, date: str, where: str) -> tuple[Measured, ...]:
    """Of every test that passed; the key is that of the name ``CLASSNAME::NAME``, or NAME where there is no class.

    :param date: of the report, ISO 8601.
    :raises InputError: ``bad-report``: no XML, or with a document type; entities are never read.
    """
    reader = _Reader(date)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    try:
        parser.Parse(data, True)  # noqa: FBT003 - expat's "this is all of it"
    except expat.ExpatError as error:
        raise _bad(f"line {error.lineno}: {expat.ErrorString(error.code)}", where) from None
    except _RefusedError as error:
        raise _bad(str(error), where) from None
    return tuple(reader.found)


class _RefusedError(Exception):
    pass


def _refuse_doctype(*_: Any) -> None:
    raise _RefusedError("it declares a document type, which no test report needs")


class _Reader:
    def __init__(self, date: str) -> None:
        self.date = date
        self.found: list[Measured] = []
        self.depth = 0
        self.case: tuple[int, Measured | None] | None = None  # depth at which it began

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _RefusedError(f"nested deeper than {MAX_DEPTH}")
        if tag == "testcase" and self.case is None:
            self.case = (self.depth, self._measured(attributes))
        elif tag in _NOTHING_LEARNT and self.case is not None:
            self.case = (self.case[0], None)

    def end(self, tag: str) -> None:
        if self.case is not None and self.case[0] == self.depth:
            if self.case[1] is not None:
                self.found.append(self.case[1])
            self.case = None
        self.depth -= 1

    def _measured(self, attributes: dict[str, str]) -> Measured | None:
        name, text = attributes.get("name", ""), attributes.get("time", "")
        if not name or not _SECONDS.fullmatch(text):
            return None
        us = math.floor(float(text.replace(",", "")) * 1e6)
        if not 0 < us <= _MAX_US:
            return None
        class_name = attributes.get("classname", "")
        called = f"{class_name}::{name}" if class_name else name
        return Measured(key=key_of_name(called), us=us, date=self.date, clock=WALL)


def _bad(what: str, where: str) -> InputError:
    return InputError("bad-report", f"this is no JUnit report that can be read: {what}", where=where)
