"""What a suite may say, and what a trial is. Frozen, typed, and strict about unknown keys."""

from harness.specs.data_specs import (
    MISSING_VALUES,
    BackboneSpec,
    CorpusSpec,
    ListedBackbone,
    ListedCorpus,
    ProtocolSpec,
    QualitySpec,
)
from harness.specs.spec_base import (
    DtypeName,
    FinetuneLayers,
    FramesChoice,
    FrozenMode,
    Handling,
    Precision,
    Spec,
)
from harness.specs.suite_spec import CostSpec, Selection, Shard, Suite
from harness.specs.training_specs import (
    PROBE_LOSSES,
    PROBES,
    EarlyStoppingSpec,
    HeadSpec,
    TrainingSpec,
)
from harness.specs.trial_spec import Axes, CostTrial, Trial

__all__ = [
    "MISSING_VALUES",
    "PROBES",
    "PROBE_LOSSES",
    "Axes",
    "BackboneSpec",
    "CorpusSpec",
    "CostSpec",
    "CostTrial",
    "DtypeName",
    "EarlyStoppingSpec",
    "FinetuneLayers",
    "FramesChoice",
    "FrozenMode",
    "Handling",
    "HeadSpec",
    "ListedBackbone",
    "ListedCorpus",
    "Precision",
    "ProtocolSpec",
    "QualitySpec",
    "Selection",
    "Shard",
    "Spec",
    "Suite",
    "TrainingSpec",
    "Trial",
]
