"""Rules on what has no place in a scheduler."""

from __future__ import annotations

import re

from schedops.verify.source.model import Model
from schedops.verify.source.pages_security import EXTRA_PROG, HELPER, KFUNC, LABEL_LEAK, LICENCE
from schedops.verify.source.report import ERROR, WARNING, Check, Findings, found, listed, via
from schedops.verify.source.tree import Node, bare

_BAD_HELPERS = re.compile(
    r"bpf_(probe_write_user|send_signal|send_signal_thread|override_return|probe_read_user|probe_read_user_str"
    r"|probe_read|probe_read_str|copy_from_user|copy_from_user_task|d_path|get_current_comm_user|sys_bpf|sys_close"
    r"|sysctl_\w+|get_branch_snapshot|read_branch_records|perf_event_read|perf_event_read_value|redirect\w*"
    r"|skb_\w+|xdp_\w+|sk_\w+|sock_\w+|setsockopt|getsockopt|bind|ima_inode_hash|ima_file_hash|bprm_opts_set"
    r"|find_vma|get_retval|set_retval|kallsyms_lookup_name|core_read_user)"
)
_SAFE_HELPERS = frozenset({"bpf_sk_storage_get"})
_BAD_KFUNCS = re.compile(
    r"crash_kexec|machine_kexec|panic|emergency_restart|kernel_restart|kernel_power_off|call_usermodehelper\w*"
    r"|bpf_send_signal_task|bpf_copy_from_user\w+|bpf_get_task_exe_file|bpf_put_file|bpf_path_d_path|bpf_\w+_xattr"
    r"|bpf_lookup_\w+_key|bpf_key_put|bpf_verify_pkcs7_signature|bpf_crypto_\w+|bpf_sock_\w+|bpf_skb_\w+|bpf_xdp_\w+"
    r"|bpf_ct_\w+|bpf_xfrm_\w+|hid_bpf_\w+|tcp_\w+|cubictcp_\w+|bbr_\w+|dctcp_\w+|bpf_fib_\w+|bpf_netpoll_\w+"
    r"|bpf_kfunc_call_\w+|bpf_modify_return_\w+|bpf_real_data_\w+|bpf_set_file_\w+"
)
_PROGRAMS = re.compile(
    r"\??(tp|tp_btf|raw_tp|raw_tracepoint|tracepoint|kprobe|kretprobe|uprobe|uretprobe|usdt|fentry|fexit|fmod_ret"
    r"|lsm|perf_event|iter|xdp|tc|tcx|netkit|socket|sk_\w+|sockops|cgroup|cgroup_skb|classifier|action|freplace|ksyscall|kretsyscall"
    r"|flow_dissector|lirc_mode2|lwt_\w+|netfilter|profile|usdt)(\.s|\.w|\.multi|\.session)?([/.].*)?"
)
_REMOVE = "remove it and ship it as a tool of its own, or have a person review it: no stage judges what it does"
_COMPATIBLE = frozenset({"GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"})


def _calls(model: Model) -> Findings:
    for function in model.functions.values():
        for call in function.calls:
            if call.name in model.functions:
                continue
            if _BAD_HELPERS.fullmatch(call.name) and call.name not in _SAFE_HELPERS:
                if call.name in ("bpf_probe_read", "bpf_probe_read_str"):
                    continue
                text = f"{call.name}() in {via(model, function)}: a scheduler has no business with that"
                yield found(HELPER, call.node, text, "remove it")
            elif _BAD_KFUNCS.fullmatch(call.name):
                text = f"{call.name}() in {via(model, function)}: no scheduler needs it"
                yield found(KFUNC, call.node, text, "remove it")


def _programs(model: Model) -> Findings:
    for section, owner in model.sections:
        if owner.kind == "function_definition" and _PROGRAMS.fullmatch(section):
            marked = next(
                (
                    token
                    for at, text, token in model.doc.sections
                    if text == section and owner.start - 400 < at <= owner.end
                ),
                None,
            )
            place = marked.origin.place(marked.start) if marked is not None else owner.place
            text = f'SEC("{section}"): a program of this kind is not part of a scheduler'
            yield found(EXTRA_PROG, place, text, _REMOVE)


def _licence(model: Model) -> Findings:
    names = [one for one in model.globals.values() if one.section == "license"]
    for one in names:
        if one.value is not None and one.value.kind == "string_literal" and one.value.text[1:-1] not in _COMPATIBLE:
            text = (
                f"the licence {one.value.shown} is not compatible with the GPL: the kernel refuses to load the policy"
            )
            yield found(LICENCE, one.node, text, f"one of {listed(sorted(_COMPATIBLE))}")
    if not names and model.whole:
        text = "no licence is declared: the kernel refuses to load the policy"
        yield found(LICENCE, model.tables[0].node, text, 'char _license[] SEC("license") = "GPL";', level=WARNING)


_WHO = {"comm": "name", "pid": "number", "tgid": "number", "cred": "user", "real_cred": "user", "loginuid": "user",
        "exe_file": "path"}  # fmt: skip
_WHO_CALLS = {"bpf_get_current_comm": "name", "bpf_get_current_uid_gid": "user", "bpf_d_path": "path",
              "bpf_strncmp": "", "bpf_strcmp": ""}  # fmt: skip
_PRINTS = ("bpf_printk", "bpf_trace_printk", "scx_bpf_error", "scx_bpf_dump", "scx_bpf_exit", "bpf_snprintf")


def _labels(model: Model) -> Findings:
    level = ERROR if model.source.policy.provenance.author == "agent" else WARNING
    for function in model.functions.values():
        if function.name not in model.live:
            continue
        seen: set[int] = set()
        for node in function.body.find("field_expression", "call_expression"):
            what = _label(node)
            line = node.place.line
            if not what or line in seen or _printed(node) or not _decides(node, what):
                continue
            seen.add(line)
            text = f"{node.shown} decides by a task's {what}: that recognises tasks instead of understanding them"
            yield found(LABEL_LEAK, node, text, "decide on what the task does, or take a hint", level=level)


def _label(node: Node) -> str:
    if node.kind == "call_expression":
        return _WHO_CALLS.get(node.kids[0].text, "")
    return _WHO.get(node.kids[-1].text, "") if "->" in node.sign or node.sign == "." else ""


def _printed(node: Node) -> bool:
    return any(one.kind == "call_expression" and one.kids[0].text.startswith(_PRINTS) for one in node.above())


def _decides(node: Node, what: str) -> bool:
    """Names and users are only good for recognising; a number also serves as a key, so it has to be compared."""
    if what != "number":
        return True
    for one in node.above():
        if one.kind == "binary_expression" and one.sign in ("==", "!=", "<", ">", "<=", ">="):
            other = bare(one.kids[1] if node in one.kids[0].walk() else one.kids[0])
            return other.kind in ("number_literal", "identifier") and other.text != "0"
        if one.kind == "switch_statement":
            return node in one.kids[0].walk()
        if one.kind.endswith("_statement") or one.kind in ("declaration", "argument_list"):
            return False
    return False


CHECKS = (
    Check((HELPER, KFUNC), _calls),
    Check((EXTRA_PROG,), _programs),
    Check((LICENCE,), _licence),
    Check((LABEL_LEAK,), _labels),
)
