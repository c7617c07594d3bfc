"""What kernels and libbpf said about real flawed policies (6.16.12 and 7.3.4, libbpf 1.4), shortened."""

from __future__ import annotations

import pytest

from schedops.verify.verifier_log import Refusal, read_refusal, symbol_in

NULL = """\
libbpf: prog 'bad_enqueue': BPF program load failed: Permission denied
libbpf: prog 'bad_enqueue': -- BEGIN PROG LOAD LOG --
0: R1=ctx() R10=fp0
; void OP(bad_enqueue, struct task_struct *p, u64 enq_flags) @ refused.bpf.c:14
0: (79) r6 = *(u64 *)(r1 +0)          ; R1=ctx() R6_w=trusted_ptr_task_struct()
; *count += 1; @ refused.bpf.c:19
9: (79) r1 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
processed 10 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'bad_enqueue': failed to load: -13
libbpf: failed to load object 'policy'
"""
NO_KFUNC = """\
libbpf: extern (func ksym) 'scx_bpf_no_such_thing': not found in kernel or module BTFs
libbpf: failed to load object 'policy'
"""

# Linux 7.3 tells a story after its message.
STORY = """\
libbpf: prog 'bad_enqueue': -- BEGIN PROG LOAD LOG --
; u64 *count = bpf_map_lookup_elem(&counts, &key); @ refused.bpf.c:17
8: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=counts,ks=4,vs=8)
; *count += 1; @ refused.bpf.c:19
9: (79) r1 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'

Verification failed: Register Type Safety: Invalid dereference

Reason:
  R0 may be NULL here (a nullable map value pointer). The program could dereference NULL on this
  path, so the verifier cannot prove this access is safe.

At:
  bad_enqueue @ refused.bpf.c:19:9
  Source context:
      17 |         u64 *count = bpf_map_lookup_elem(&counts, &key);
  >>> 19 |         *count += 1;
         |         ^-- error: invalid dereference of R0 (a nullable map value pointer)
  Instruction context:
  >>>  9 | (79) r1 = *(u64 *)(r0 +0)

Causal path:
  bad_enqueue @ refused.bpf.c:17:15
  >>> 17 |         u64 *count = bpf_map_lookup_elem(&counts, &key);
         |         ^-- update: R0 changed from uninitialized value to nullable map value from counts

Suggestion:
  Add a NULL check before the access and dereference the pointer only on the non-NULL path.

processed 9 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0 mark_read 0
-- END PROG LOAD LOG --
libbpf: prog 'bad_enqueue': failed to load: -13
"""


def program(body: str) -> str:
    return f"libbpf: prog 'x': -- BEGIN PROG LOAD LOG --\n{body}\n-- END PROG LOAD LOG --\n"


def test_the_message_its_line_and_what_to_do() -> None:
    assert read_refusal(NULL) == Refusal(
        "R0 invalid mem access 'map_value_or_null'",
        "refused.bpf.c",
        19,
        "check the pointer for NULL before it is used",
    )


def test_only_the_last_and_talkative_attempt_counts() -> None:
    quiet = program("R0 invalid mem access 'scalar'\nprocessed 3 insns")
    assert read_refusal(quiet + NULL).line == 19


def test_the_story_of_newer_kernels_changes_nothing() -> None:
    assert read_refusal(STORY) == read_refusal(NULL)
    after = STORY.replace("R0 invalid mem access 'map_value_or_null'\n", "").replace(
        "processed 9", "Unreleased reference id=1 alloc_insn=1\nprocessed 9"
    )
    assert read_refusal(after).text == "Unreleased reference id=1 alloc_insn=1"


def test_the_story_alone_is_enough() -> None:
    alone = STORY.replace("R0 invalid mem access 'map_value_or_null'\n", "")
    refusal = read_refusal(alone)
    assert refusal.text.startswith("R0 may be NULL here (a nullable map value pointer). The program could")
    assert (refusal.file, refusal.line) == ("refused.bpf.c", 19)
    assert refusal.advice.startswith("Add a NULL check before the access")


def test_a_missing_kfunc_is_named_for_looking_it_up() -> None:
    refusal = read_refusal(NO_KFUNC)
    assert (refusal.text, refusal.line) == (
        "extern (func ksym) 'scx_bpf_no_such_thing': not found in kernel or module BTFs",
        0,
    )
    assert symbol_in(refusal.text) == "scx_bpf_no_such_thing"
    assert refusal.advice.startswith("this kernel does not have it")


def test_the_arrow_of_newer_kernels_is_taken_off() -> None:
    body = "; f(); @ a.bpf.c:30\n3: (85) call x#1\n |     ^-- error: invalid first argument\nprocessed 4 insns"
    assert (read_refusal(program(body)).text, read_refusal(program(body)).line) == ("invalid first argument", 30)


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("math between map_value pointer and register with unbounded min value is not allowed", "bound the index"),
        ("Unreleased reference id=4 alloc_insn=2", "release it on every path"),
        ("BPF_EXIT instruction in main prog would lead to reference leak", "release it on every path"),
        ("infinite loop detected at insn 12", "the verifier sees no end"),
        ("BPF program is too large. Processed 1000001 insn", "less state in loops"),
        ("attach to unsupported member cgroup_set_bandwidth of struct sched_ext_ops", "this kernel has no such"),
        ("calling kernel function scx_bpf_dsq_move_to_local is not allowed", "this kfunc may not be called from here"),
        ("cannot call kernel function from non-GPL compatible program", "state a licence"),
        ("func_proto incompatible with vmlinux", "the declaration is not this kernel's"),
        ("only read is supported", "that field is not the policy's"),
        ("<invalid CO-RE relocation>", "this kernel has no such type"),
        ("invalid func unknown#195896080", "this kernel has no such type"),
        ("R1 min value is negative, either use unsigned or 'var &= const'", "an index may be negative"),
        ("R2 pointer arithmetic on ptr_ prohibited", "reckon with numbers"),
        ("variable ptr_ access var_off=(0x0; 0xff) disallowed", "reckon with numbers"),
        ("bpf_rcu_read_unlock is missing", "leave every path"),
        ("R1 must be referenced or trusted", "this pointer may be stale"),
        ("R1 must be a rcu pointer", "this pointer may be stale"),
        ("R1 type=scalar expected=trusted_ptr_, rcu_ptr_", "this pointer may be stale"),
        ("R3 !read_ok", "on some path this is used before"),
        ("invalid read from stack off -16+0 size 8", "on some path this is used before"),
        ("At program exit the register R0 has smin=5 should have been in [-4095, 0]", "return only what"),
        ("func 'select_cpu' doesn't have 4-th argument", "the callback takes other arguments"),
        ("invalid bpf_context access off=24 size=8", "the callback takes other arguments"),
        ("access beyond struct task_struct at off 99999 size 8", "the field lies elsewhere"),
        ("write into map forbidden, value_size=8 off=0 size=8", "a `const` variable"),
        ("R1 leaks addr into map", "a pointer may not be kept"),
        ("combined stack size of 2 calls is 560. Too large", "there are 512 bytes of stack"),
        ("the call stack of 9 frames is too deep !", "there are 512 bytes of stack"),
        ("expected an initialized iter_num as arg #0", "an iterator is made"),
        ("arg#0 reference type('UNKNOWN ') size cannot be determined: -22", "a global function's pointer"),
        ("unreachable insn 12", "code after an endless loop"),
        ("program must be sleepable to call sleepable kfunc scx_bpf_create_dsq", "put the callback in a section"),
        ("Possibly NULL pointer passed to trusted arg0", "check the pointer for NULL"),
        ("R0 pointer arithmetic on map_value_or_null prohibited, null-check it first", "check the pointer for NULL"),
    ],
)
def test_advice_for_what_the_verifier_says(message: str, advice: str) -> None:
    refusal = read_refusal(program(f"; x @ a.bpf.c:7\n1: (85) call x#1\n{message}\nprocessed 2 insns"))
    assert (refusal.text, refusal.line) == (message, 7)
    assert refusal.advice.startswith(advice)


@pytest.mark.parametrize("log", ["", "\n\n", "libbpf: -- BEGIN PROG LOAD LOG --", "; @ :\n" * 5])
def test_an_empty_or_broken_log_gives_some_words(log: str) -> None:
    assert read_refusal(log).text
