"""An estimate before anything runs, from the corpora alone. Only on request: it takes seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.config.choose import candidates
from harness.data.prepared_corpus import PreparedCorpus, prepare_corpus
from harness.profiling.estimation.suite_estimate import Estimate, estimate
from harness.progress import Reporter
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.work_units import work_units
from harness.specs import CorpusSpec, Trial


def estimate_trials(
    trials: Sequence[Trial],
    options: RuntimeOptions,
    reporter: Reporter,
    corpora: Mapping[CorpusSpec, PreparedCorpus] | None = None,
) -> list[Estimate]:
    """What trials would take on this machine, one entry a unit of work; no backbone need be here.

    Args:
        trials: what is to run
        options: device, and how frames are kept
        reporter: told of corpora that are read
        corpora: those that are read already; all of them are read when left out

    Raises:
        UserError: a corpus is missing or unfit.
    """
    units = work_units("", trials, options)
    known = dict(corpora or {})
    for unit in units:
        if unit.corpus not in known:
            known[unit.corpus] = prepare_corpus(unit.corpus, unit.limit_utterances, reporter)
    groups = [
        (known[unit.corpus], [each for trial in unit.trials for _, each in candidates(trial)])
        for unit in units
    ]
    return estimate(groups, options.device, options.frames)
