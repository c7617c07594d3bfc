"""The tools that Claude has, as the Messages API wants them described. None writes a file, runs a command or signs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schedops.model.conversation import Tool

NAME = r"^[a-z][a-z0-9]*(-[a-z0-9]+){0,5}$"
_PARAMS = {
    "type": "array",
    "maxItems": 32,
    "description": "Parameters that differ from the policy's defaults.",
    "items": {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 64}, "value": {"type": "integer"}},
        "required": ["name", "value"],
        "additionalProperties": False,
    },
}
_NAME = {"type": "string", "pattern": NAME, "maxLength": 40}


def _text(limit: int, words: str) -> dict[str, Any]:
    return {"type": "string", "minLength": 1, "maxLength": limit, "description": words}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": sorted(properties), "additionalProperties": False}


SEARCH = Tool(
    name="search_library",
    description="Policies of the library for a few words, best first, each with the reason why it was found.",
    input_schema=_object(words=_text(300, "what the policy should do, or for what kind of workload")),
)
SHOW = Tool(
    name="show_policy",
    description="One policy: what it is for, what it loses on, its parameters with their ranges, and its source.",
    input_schema=_object(name=_text(64, "as search_library gives it")),
)
SIMULATE = Tool(
    name="simulate",
    description=(
        "Runs a policy's own code in the simulator on this workload beside the default scheduler (EEVDF): change of "
        "each objective and guard over a few seeds. Takes seconds and costs nothing but time. Simulated, not measured: "
        "a kernel confirms whatever you propose."
    ),
    input_schema=_object(policy=_text(64, "of the library, or one that write_policy took"), params=_PARAMS),
)
WRITE = Tool(
    name="write_policy",
    description=(
        "Hands in the source of a new or changed policy, one C file. It is checked by the rules and compiled; what is "
        "found comes back in the words of the verifier, and you may hand it in again under the same name. Copy the "
        "style of the policies of the library: declare every kfunc yourself, no other headers than theirs."
    ),
    input_schema={
        **_object(
            name={**_NAME, "description": "new, lower case words joined by dashes"},
            description=_text(600, "what it does, one or two sentences"),
            loses_when=_text(600, "when it is the wrong choice"),
            source=_text(60_000, "the whole file <name>.bpf.c"),
            params={
                "type": "array",
                "maxItems": 16,
                "description": "each a `const volatile` of the source with its default",
                "items": _object(
                    name={"type": "string", "pattern": "^[a-z][a-z0-9_]*$", "maxLength": 40},
                    type={"enum": ["u8", "u16", "u32", "u64", "s32", "s64", "bool"]},
                    default={"type": "integer"},
                    min={"type": "integer"},
                    max={"type": "integer"},
                    unit=_text(16, "us, ms, tasks …"),
                    meaning=_text(200, "what it does"),
                ),
            },
            base={"type": "string", "maxLength": 64, "description": "the policy it was made of; empty: of none"},
        ),
    },
)
PROPOSE = Tool(
    name="propose",
    description=(
        "Ends the work with what should be measured on a real kernel. Say what you expect so that it can turn out "
        "wrong. Figures are taken from the harness, not from what you write."
    ),
    input_schema=_object(
        policy=_text(64, "of the library, or one that write_policy took"),
        params=_PARAMS,
        hypothesis=_text(600, "why this should help this workload, one or two sentences"),
        metric=_text(64, "the objective it is about"),
        expected_change={
            "type": "number",
            "minimum": -0.99,
            "maximum": 99,
            "description": "against EEVDF, as a fraction: -0.2 is 20 % less",
        },
        reasons={"type": "array", "minItems": 1, "maxItems": 8, "items": _text(300, "a reason, with what it rests on")},
    ),
)
READ_ONLY = (SEARCH, SHOW, SIMULATE, PROPOSE)
ALL = (SEARCH, SHOW, SIMULATE, WRITE, PROPOSE)
