"""What a policy depends on that no simulation shows: a clean run says nothing of that. Pure."""

from __future__ import annotations

import re

from schedops.model.policy import PolicySource

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_HOTPLUG = r"cpu_(?:online|offline)"
# Words of its text -> what does not happen in a simulation.
_NEVER = (
    (_HOTPLUG, "no simulated CPU goes offline for a policy that does not declare hotplug"),
    (r"cpu_(?:acquire|release)|scx_bpf_reenqueue_local", "nothing above sched_ext takes a CPU in these loads"),
    (r"core_sched_before", "no simulated task is kept apart from others on a core"),
    (r"comm", "no simulated task takes another name by exec"),
    (r"cgroup_(?:prep_move|move|cancel_move)", "no simulated task moves to another cgroup"),
    (r"cgroup_set_\w+", "no simulated cgroup is changed"),
    (r"migration_disabled|is_migration_disabled", "no simulated task has its migration disabled"),
    (r"bpf_printk|bpf_trace_printk", "what is printed takes no simulated time"),
)
_LOOP = re.compile(r"\b(?:for|while|bpf_for|bpf_repeat|bpf_loop)\s*\(([^{}\n]*)")
_DEFINED = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+\(?(\d+)|\b(\w+)\s*=\s*(\d+)\s*[,;}]", re.MULTILINE)
_NUMBER = re.compile(r"\b\d+")
_FUNCTION = re.compile(r"\b(\w+)\s*\(([^;{}()]*)\)\s*\{")
_BODY = 600  # letters: where a loop of a function is looked for
_MANY_ROUNDS = 1000  # some microseconds: callbacks take no simulated time


def unseen(source: PolicySource) -> str:
    """Why a clean simulation is no pass of this policy; empty: it may be one."""
    text = _COMMENT.sub(" ", source.text)
    seen = (_HOTPLUG,) if source.policy.capabilities.hotplug else ()
    found = [what for words, what in _NEVER if words not in seen and re.search(rf"\b(?:{words})\b", text)]
    if _most_rounds(text) >= _MANY_ROUNDS:
        found.append("loops of many rounds take no simulated time")
    return "; ".join(found)


def _most_rounds(text: str) -> int:
    """The highest number in the head of a loop, as it stands, by its name, or by that of a parameter.

    Of a loop to a parameter the highest name that is anywhere handed to the function is taken.
    """
    named = {one[1] or one[3]: int(one[2] or one[4]) for one in _DEFINED.finditer(text)}
    heads = [match[1] for match in _LOOP.finditer(text)]
    numbers = [int(number) for head in heads for number in _NUMBER.findall(head)]
    numbers += [named[word] for head in heads for word in re.findall(r"[A-Za-z_]\w*", head) if word in named]
    for function in _FUNCTION.finditer(text):
        parameters = set(re.findall(r"(\w+)\s*(?:,|$)", function[2]))
        looped = [_LOOP.findall(text[function.end() : function.end() + _BODY])]
        if parameters & {word for heads_ in looped for head in heads_ for word in re.findall(r"[A-Za-z_]\w*", head)}:
            calls = re.findall(rf"\b{function[1]}\s*\(([^;{{}}]*)\)\s*;", text)
            numbers += [named[word] for call in calls for word in re.findall(r"[A-Za-z_]\w*", call) if word in named]
            numbers += [int(number) for call in calls for number in _NUMBER.findall(call)]
    return max(numbers, default=0)
