"""Exchanges with a model on the disk: a file for each, named by its question, read when that comes again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from schedops.adapters.disk.cachedir import write_whole
from schedops.errors import InputError
from schedops.model.conversation import Exchange, Question, Reply, TokenUse
from schedops.schema.files import read_bounded

# Keys of the API begin so; a policy or a log that holds one must not spread it.
_SECRET = re.compile(rb"sk-ant-[A-Za-z0-9_-]{8,}")
_HIDDEN = b"[key removed]"
_MOST_BYTES = 64 << 20


class FileTranscript:
    """:param directory: of one run, or of a recording."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def recall(self, question: Question) -> Exchange | None:
        """The exchange; a damaged file is as good as none."""
        return _read(self._path(question), question)

    def keep(self, exchange: Exchange) -> None:
        """Store it whole or not at all, without secrets."""
        text = json.dumps(asdict(exchange), ensure_ascii=False, indent=1, sort_keys=True)
        write_whole(self._path(exchange.question), _SECRET.sub(_HIDDEN, text.encode() + b"\n"), mode=0o600)

    def _path(self, question: Question) -> Path:
        return self._directory / f"{question.sha256.removeprefix('sha256:')}.json"


class Recorded:
    """A model that is not there: what it said stands in a transcript, and nothing else can be asked.

    :param directory: of the recording, for the message.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def reply(self, question: Question, *, deadline_s: float) -> Reply:
        """:raises InputError: ``not-recorded``, always."""
        raise InputError(
            "not-recorded",
            "the recording has no answer to what the planner asks now",
            where=str(self._directory),
            hint="record again with --record: policies, workload, profile, prompts or tools are others than then",
        )


def _read(path: Path, question: Question) -> Exchange | None:
    try:
        kept = json.loads(read_bounded(path, limit=_MOST_BYTES)) if path.is_file() else None
        # What is in the file has to be the answer to this question, not to the one that its name promises. (One with a
        # secret in it was kept without it, and is asked again.)
        if kept is None or kept["question"] != json.loads(question.json):
            return None
        return Exchange(
            question=question, reply=_reply(kept["reply"]), usd=float(kept["usd"]), seconds=float(kept["seconds"])
        )
    except (InputError, ValueError, TypeError, KeyError):
        return None


def _reply(kept: Mapping[str, Any]) -> Reply:
    content = tuple(kept["content"])
    if not all(isinstance(block, dict) for block in content):
        raise TypeError("a block is an object")
    return Reply(**{**kept, "content": content, "use": TokenUse(**kept["use"])})
