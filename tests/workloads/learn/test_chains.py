from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from schedops.workloads.learn.chains import chains

BUILD = [("a", "lib"), ("b", "lib"), ("lib", "app"), ("lib", "test"), ("app", "all"), ("test", "all")]


def test_a_chain_is_the_heaviest_way_to_the_end():
    weights = {"a": 10, "b": 1, "lib": 5, "app": 20, "test": 30, "alone": 7}
    assert chains(weights, BUILD) == {"a": 45, "b": 36, "lib": 35, "app": 20, "test": 30, "all": 0, "alone": 7}


def test_nodes_before_a_circle_have_no_chain():
    assert chains({"a": 1, "z": 2}, [("a", "b"), ("b", "c"), ("c", "b"), ("c", "z")]) == {"z": 2}
    assert chains({"a": 1}, [("a", "a")]) == {}


def test_a_deep_graph_needs_no_stack():
    deep = [(str(at), str(at + 1)) for at in range(20_000)]
    assert chains({str(at): 1 for at in range(20_001)}, deep)["0"] == 20_001


@given(
    st.dictionaries(st.integers(0, 9).map(str), st.integers(0, 99)),
    st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9))),
)
def test_every_chain_is_as_long_as_its_node_and_the_longest_behind_it(weights, arrows):
    forward = [(str(min(pair)), str(max(pair))) for pair in arrows if pair[0] != pair[1]]
    found = chains(weights, forward)
    assert set(found) == {*weights, *(node for pair in forward for node in pair)}
    for node, length in found.items():
        assert length == weights.get(node, 0) + max(
            [found[then] for first, then in forward if first == node], default=0
        )
