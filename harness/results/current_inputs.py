"""What lies on this machine now, and which finished trials rest on something else.

A mean over trials says something only if all of them saw the same recordings, targets and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pydantic import Field

from harness.files import content_digest
from harness.results.records import Digests, Frozen, Record
from harness.specs import Trial


class CurrentInputs(Frozen):
    """Digests that the latest runs found, by what they are of."""

    data: Mapping[str, str] = Field(default_factory=dict)
    """Of sound, targets and speakers of a corpus, as a protocol uses it."""
    weights: Mapping[str, str] = Field(default_factory=dict)
    """Of a backbone."""

    def updated(self, trials: Iterable[tuple[Trial, Digests]]) -> CurrentInputs:
        """With what these trials rest on now in the place of what was known of it."""
        found = list(trials)
        return CurrentInputs(
            data={
                **self.data,
                **{_data_key(trial): digests.data for trial, digests in found if digests.data},
            },
            weights={
                **self.weights,
                **{_weights_key(trial): digests.weights for trial, digests in found},
            },
        )


def stale_trials(records: Iterable[Record], now: CurrentInputs) -> dict[str, tuple[str, ...]]:
    """The finished trials that rest on other data or weights than now, and on which.

    What no run has looked at is taken to be what the newest trial rests on.

    Args:
        records: the outcomes
        now: what lies there now, as far as it is known

    Returns:
        By trial id, "data", "weights" or both.
    """
    done = sorted((r for r in records if r.status == "ok"), key=lambda record: record.started_at)
    other_data = _others(done, now.data, _data_key, lambda digests: digests.data)
    other_weights = _others(done, now.weights, _weights_key, lambda digests: digests.weights)
    named = ((other_data, "data"), (other_weights, "weights"))
    return {
        trial_id: tuple(what for others, what in named if trial_id in others)
        for trial_id in sorted(other_data | other_weights)
    }


def _others(
    oldest_first: Iterable[Record],
    now: Mapping[str, str],
    key: Callable[[Trial], str],
    digest: Callable[[Digests], str | None],
) -> set[str]:
    """Ids of the trials whose digest is not the one that counts for their key."""
    rests_on = [
        (record.trial_id, key(record.trial), found)
        for record in oldest_first
        # records of an earlier program do not say what data they rest on as a whole
        if record.digests is not None and (found := digest(record.digests)) is not None
    ]
    counts = {**{name: found for _, name, found in rests_on}, **now}
    return {trial_id for trial_id, name, found in rests_on if found != counts[name]}


def _data_key(trial: Trial) -> str:
    corpus = trial.corpus.model_dump(mode="json", exclude={"root"})
    protocol = trial.protocol.model_dump(mode="json", exclude={"only_folds", "dev_speakers"})
    return content_digest([corpus, protocol, trial.limit_utterances])


def _weights_key(trial: Trial) -> str:
    return content_digest(trial.backbone.model_dump(mode="json"))
