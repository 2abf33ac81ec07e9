"""Shards hold each item once, in order, and are alike in size."""

from hypothesis import given
from hypothesis import strategies as st

from harness.config.suite_shards import read_shard, shard_of


@given(st.integers(0, 60), st.integers(1, 40))
def test_shards_are_a_partition_in_order_and_differ_by_one_at_most(items: int, of: int) -> None:
    shards = [shard_of(range(items), read_shard(f"{number}/{of}")) for number in range(1, of + 1)]
    assert [item for shard in shards for item in shard] == list(range(items))
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_without_a_shard_all_is_there() -> None:
    assert shard_of("abc", None) == ("a", "b", "c")
