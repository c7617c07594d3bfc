"""Who draws from a space: Optuna's tree-structured Parzen estimator, or chance. Seeded, so that it repeats itself."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schedops.agent.lab import Candidate
from schedops.agent.space import Space

if TYPE_CHECKING:
    import optuna

_STARTUP = 8  # draws by chance before there is anything to learn from


@dataclass(slots=True)
class _Suggest:
    # Optuna's own decisions under the names of a space.
    trial: optuna.trial.Trial

    def whole(self, name: str, low: int, high: int) -> int:
        return int(self.trial.suggest_int(name, low, high))

    def choice(self, name: str, options: Sequence[str]) -> str:
        return str(self.trial.suggest_categorical(name, list(options)))


class OptunaSampler:
    """Asked for a candidate, told what came of it.

    :param kind: ``tpe`` or ``random``.
    :param begins: the first draws are what the space begins with.
    """

    def __init__(self, space: Space, *, kind: str, seed: int, begins: bool = True) -> None:
        import optuna  # noqa: PLC0415 - a quarter of a second, and only a search needs it

        # What it tells is for whoever works on it; ours goes through Progress.
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        self._states = optuna.trial.TrialState
        self._space = space
        self._trials: list[Any] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "experimental": groups and liars have been since version 2
            sampler: optuna.samplers.BaseSampler
            if kind == "random":
                sampler = optuna.samplers.RandomSampler(seed=seed)
            else:
                sampler = optuna.samplers.TPESampler(
                    seed=seed, n_startup_trials=_STARTUP, multivariate=True, group=True, constant_liar=True
                )
            self._study = optuna.create_study(sampler=sampler, storage=None, direction="minimize")
        for decisions in space.begins() if begins else ():
            self._study.enqueue_trial(decisions)

    def ask(self) -> tuple[int, Candidate]:
        """A ticket and what to try."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = self._study.ask()
            candidate = self._space.draw(_Suggest(trial))
        self._trials.append(trial)
        return len(self._trials) - 1, candidate

    def tell(self, ticket: int, values: Sequence[float], *, pruned: bool) -> None:
        """:param values: what the search makes small, after each step; empty: it failed."""
        trial = self._trials[ticket]
        for step, value in enumerate(values):
            trial.report(value, step)
        if not values:
            self._study.tell(trial, state=self._states.FAIL)
        elif pruned:
            self._study.tell(trial, state=self._states.PRUNED)
        else:
            self._study.tell(trial, values[-1])
