"""What qualifies a score."""

from typing import Any

from harness.results.flags import DATA_FLAGS, FLAG_MEANINGS, flags
from harness.results.seen_before import SEEN_FLAGS
from harness.specs import BackboneSpec


def test_every_flag_has_a_meaning(empty_run: Any, trial: Any) -> None:
    """The count of an incomplete group is no part of the flag's name."""
    random = BackboneSpec(name="wavlm-base", init="random")
    limited = trial(limit_utterances=40).model_copy(update={"backbone": random})
    record = empty_run.add(limited, partial_corpus=True, speaker_overlap=True)
    found = flags([limited, trial()], [record], seen=SEEN_FLAGS, unstable_cost=True)
    assert found == [
        "RANDOM", *SEEN_FLAGS, "LIMITED", "PARTIAL", "SPEAKER OVERLAP",
        "INCOMPLETE 1 of 2", "UNSTABLE",
    ]  # fmt: skip
    assert {flag.partition(" 1 of")[0] for flag in found} <= set(FLAG_MEANINGS)
    assert set(DATA_FLAGS) <= set(FLAG_MEANINGS)
