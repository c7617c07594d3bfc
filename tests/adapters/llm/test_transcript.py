"""Exchanges on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schedops.adapters.llm.transcript import FileTranscript, Recorded
from schedops.errors import InputError
from schedops.model.conversation import Exchange, Question, Reply, TokenUse, Turn
from tests.fakes.messages_api import KEY


def exchange(words: str = "hello") -> Exchange:
    turn = Turn(role="user", content=({"type": "text", "text": words},))
    question = Question(model="m", system="s", tools=(), turns=(turn,), max_output_tokens=10)
    reply = Reply(model="m", content=({"type": "text", "text": "hi"},), stop="end_turn", use=TokenUse(output_tokens=3))
    return Exchange(question=question, reply=reply, usd=0.1, seconds=2.0)


def test_a_question_is_answered_as_before(tmp_path: Path):
    kept = exchange()
    FileTranscript(tmp_path / "model").keep(kept)
    assert FileTranscript(tmp_path / "model").recall(kept.question) == kept
    assert FileTranscript(tmp_path / "model").recall(exchange("other").question) is None


def test_a_key_is_not_written_and_its_question_is_asked_again(tmp_path: Path):
    kept = exchange(f"my key is {KEY}")
    FileTranscript(tmp_path / "model").keep(kept)
    (file,) = (tmp_path / "model").iterdir()
    assert KEY not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert FileTranscript(tmp_path / "model").recall(kept.question) is None


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"question": 1}'])
def test_a_damaged_file_is_as_good_as_none(tmp_path: Path, damage: bytes):
    kept = exchange()
    FileTranscript(tmp_path / "model").keep(kept)
    next((tmp_path / "model").iterdir()).write_bytes(damage)
    assert FileTranscript(tmp_path / "model").recall(kept.question) is None


def test_a_reply_whose_blocks_are_none_is_no_reply(tmp_path: Path):
    kept = exchange()
    FileTranscript(tmp_path / "model").keep(kept)
    (file,) = (tmp_path / "model").iterdir()
    whole = json.loads(file.read_text())
    file.write_text(json.dumps({**whole, "reply": {**whole["reply"], "content": ["x"]}}))
    assert FileTranscript(tmp_path / "model").recall(kept.question) is None


def test_the_answer_to_another_question_is_none(tmp_path: Path):
    kept, other = exchange(), exchange("other")
    FileTranscript(tmp_path / "model").keep(kept)
    next((tmp_path / "model").iterdir()).rename(
        tmp_path / "model" / f"{other.question.sha256.removeprefix('sha256:')}.json"
    )
    assert FileTranscript(tmp_path / "model").recall(other.question) is None


def test_a_recording_cannot_answer_what_was_not_asked(tmp_path: Path):
    with pytest.raises(InputError) as refused:
        Recorded(tmp_path).reply(exchange().question, deadline_s=1)
    assert refused.value.code == "not-recorded"
