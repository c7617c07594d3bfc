"""Parameters as they are typed: words to values that the policy declares."""

from __future__ import annotations

from collections.abc import Sequence

from schedops.errors import InputError
from schedops.model.policy import Param, ParamValue, Policy


def parameters(policy: Policy, words: Sequence[str]) -> tuple[ParamValue, ...]:
    """``name=value`` words, held to what the policy declares; the last one of a name counts.

    :raises InputError: ``bad-parameter``: no such parameter, no whole number, or out of range.
    """
    known = {param.name: param for param in policy.params}
    values: dict[str, ParamValue] = {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in known:
            hint = "it has " + ", ".join(sorted(known)) if known else "it has none"
            raise _bad(policy, f"{policy.name} has no parameter {name!r}", hint)
        values[name] = ParamValue(name=name, value=_value(policy, known[name], text))
    return tuple(values[name] for name in sorted(values))


def _value(policy: Policy, param: Param, text: str) -> int:
    allowed = f"a whole number in {param.min}..{param.max} ({param.unit})"
    try:
        value = int(text)
    except ValueError:
        raise _bad(
            policy, f"{param.name} is {text!r}, not {allowed}", f"--param {param.name}={param.default}"
        ) from None
    if not param.min <= value <= param.max:
        raise _bad(policy, f"{param.name} is {value}, not {allowed}", f"--param {param.name}={param.default}")
    return value


def _bad(policy: Policy, message: str, hint: str) -> InputError:
    return InputError(
        "bad-parameter", message, where=f"policies/library/{policy.name}/policy.yaml::$.params", hint=hint
    )
