"""Batches: every utterance once, within the seconds allowed, decoded ahead."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from harness.data.batches import ahead, bucketed

durations = st.lists(st.floats(0.1, 20), min_size=1, max_size=60)


@given(durations, st.floats(1, 60), st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9)))
def test_a_plan_holds_every_utterance_once_and_no_batch_is_too_long(
    lengths: list[float], batch_seconds: float, seed: tuple[int, int] | None
) -> None:
    plan = bucketed(lengths, batch_seconds, seed)
    assert sorted(index for batch in plan for index in batch) == list(range(len(lengths)))
    for batch in plan:
        padded = max(lengths[index] for index in batch) * len(batch)
        assert len(batch) == 1 or padded <= batch_seconds


@given(durations)
def test_the_same_seed_gives_the_same_plan(lengths: list[float]) -> None:
    assert bucketed(lengths, 10, (1, 2)) == bucketed(lengths, 10, (1, 2))


def test_epochs_differ() -> None:
    lengths = [1 + index / 50 for index in range(50)]
    assert bucketed(lengths, 10, (1, 1)) != bucketed(lengths, 10, (1, 2))


def test_batches_hold_utterances_of_like_length() -> None:
    lengths = [1.0, 9.0] * 20
    padding = sum(
        max(lengths[i] for i in batch) * len(batch) - sum(lengths[i] for i in batch)
        for batch in bucketed(lengths, 18, (0, 0))
    )
    assert padding <= 8.0


def test_loading_runs_ahead_of_use_and_keeps_the_order() -> None:
    loaded = threading.Event()
    results = ahead(range(6), lambda item: (loaded.set() if item == 1 else None, item)[1])
    assert next(results) == 0
    assert loaded.wait(timeout=5)
    assert list(results) == [1, 2, 3, 4, 5]


def test_leaving_early_stops_the_threads() -> None:
    loaded: list[int] = []
    may_go_on = threading.Event()

    def load(item: int) -> int:
        loaded.append(item)
        if item:
            may_go_on.wait(timeout=5)
        return item

    results = ahead(range(100), load)
    next(results)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("decode")]
    assert threads
    may_go_on.set()
    results.close()
    for thread in threads:
        thread.join(timeout=5)
        assert not thread.is_alive()
    assert len(loaded) < 10
