"""A purse, a transcript and a clock without a disk."""

from __future__ import annotations

from schedops.model.conversation import Exchange, Question


class Purse:
    def __init__(self) -> None:
        self.taken: dict[str, float] = {}

    def take(self, usd: float, *, limit_usd: float | None) -> str | None:
        if limit_usd is not None and self.spent_usd() + usd > limit_usd:
            return None
        name = str(len(self.taken))
        self.taken[name] = usd
        return name

    def settle(self, name: str, usd: float) -> None:
        self.taken[name] = usd

    def spent_usd(self) -> float:
        return sum(self.taken.values())


class Transcript:
    def __init__(self) -> None:
        self.kept: dict[str, Exchange] = {}

    def recall(self, question: Question) -> Exchange | None:
        return self.kept.get(question.sha256)

    def keep(self, exchange: Exchange) -> None:
        self.kept[exchange.question.sha256] = exchange


class Clock:
    """Goes on by a second whenever it is looked at."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic_s(self) -> float:
        self.now_s += 1
        return self.now_s
