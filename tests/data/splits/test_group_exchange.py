"""Groups of speakers are made more even where dealing left them uneven, and only there."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.data.splits.group_exchange import exchanged

SPEAKERS = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 40), min_size=1),
    min_size=4,
    max_size=20,
).map(lambda counts: {f"s{n}": found for n, found in enumerate(counts)})


def dealt(counts: dict[str, dict[str, int]], groups: int) -> list[list[str]]:
    names = list(counts)
    return [names[place::groups] for place in range(groups)]


def totals(group: list[str], counts: dict[str, dict[str, int]]) -> Counter[str]:
    return sum((Counter(counts[name]) for name in group), Counter())


def unevenness(groups: list[list[str]], counts: dict[str, dict[str, int]]) -> tuple[int, float]:
    """How many classes groups lack, and how far their sizes are from equal."""
    classes = {label for found in counts.values() for label in found}
    found = [totals(group, counts) for group in groups]
    mean = sum(total.total() for total in found) / len(groups)
    lacking = sum(label not in total for total in found for label in classes)
    return lacking, sum((total.total() / mean - 1) ** 2 for total in found)


@settings(deadline=None)
@given(SPEAKERS, st.integers(2, 4))
def test_every_speaker_stays_in_one_group_and_no_more_classes_are_lacking(
    counts: dict[str, dict[str, int]], groups: int
) -> None:
    before = dealt(counts, groups)
    after = exchanged(before, counts)
    assert sorted(name for group in after for name in group) == sorted(counts)
    assert all(after)
    assert unevenness(after, counts)[0] <= unevenness(before, counts)[0]


def test_a_rare_class_comes_into_every_group() -> None:
    counts = {f"s{n}": {"neutral": 30, "sad": 10} for n in range(6)}
    counts |= {f"r{n}": {"neutral": 30, "angry": 2} for n in range(3)}
    before = [["r0", "r1", "r2"], ["s0", "s1", "s2"], ["s3", "s4", "s5"]]
    after = exchanged(before, counts)
    assert all(totals(group, counts)["angry"] for group in after)
    assert all(totals(group, counts)["sad"] for group in after)


def test_uneven_sizes_become_even() -> None:
    sizes = [100, 60, 40, 30, 20, 20, 15, 15]
    counts = {f"s{n}": {"sad": size} for n, size in enumerate(sizes)}
    after = exchanged([["s0", "s1", "s2"], ["s3", "s4", "s5"], ["s6", "s7"]], counts)
    found = sorted(totals(group, counts).total() for group in after)
    assert found == [100, 100, 100]


def test_groups_that_are_even_are_left_alone() -> None:
    counts = {f"s{n}": {"sad": 10, "happy": 10 + n % 2} for n in range(8)}
    groups = [["s0", "s5"], ["s3", "s2"], ["s4", "s1"], ["s7", "s6"]]
    assert exchanged(groups, counts) == groups


def test_a_class_with_too_few_speakers_moves_nobody() -> None:
    counts = {f"s{n}": {"sad": 10} for n in range(6)} | {"s5": {"sad": 9, "angry": 1}}
    groups = [["s0", "s1"], ["s2", "s3"], ["s4", "s5"]]
    assert exchanged(groups, counts) == groups
