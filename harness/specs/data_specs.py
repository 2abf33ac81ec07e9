"""What is learned from: corpora, how they are cut, and backbones."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, field_validator, model_validator

from harness.specs.spec_base import Count, Handling, Name, PathText, Spec

MISSING_VALUES = frozenset(
    ("", "none", "nan", "null", "nil", "n/a", "na", "nat", "<na>", "#n/a", "~", "undefined")
)
"""How programs write that there is no value, in small letters."""


class QualitySpec(Spec):
    """What happens to a recording with a fault: refuse the corpus, exclude it, or keep it."""

    undecodable: Literal["refuse", "exclude"] = "refuse"
    empty: Literal["refuse", "exclude"] = "refuse"
    silent: Handling = "refuse"
    over_scale: Handling = "refuse"
    too_short: Literal["refuse", "exclude"] = "refuse"
    duplicate: Handling = "keep"


class CorpusSpec(Spec):
    """One corpus: a known name, or a name with the kind of reader and where it lies."""

    name: Name
    kind: str = ""
    """A reader in `harness.data.corpora.CORPORA`; the name itself when left out."""
    root: PathText | None = None
    """Folder of the recordings; else $HARNESS_CORPORA/<name>."""
    manifest: PathText | None = None
    """For kinds that read one: the list of utterances, relative to the root."""
    ignore_columns: tuple[str, ...] = ()
    """Columns of that list that are neither read nor checked, whatever their names look like."""
    labels: dict[str, str | None] | None = None
    """Corpus label -> class; null leaves a label out, and every label must be named."""
    speaker_overlap: Literal["refused", "allowed"] = "refused"
    partial: Literal["refuse", "allow"] = "refuse"
    """Whether fewer recordings than the corpus is known to have are acceptable."""
    quality: QualitySpec = QualitySpec()

    @field_validator("labels")
    @classmethod
    def _named_classes(cls, labels: dict[str, str | None] | None) -> dict[str, str | None] | None:
        for label, name in (labels or {}).items():
            if name is not None and name.strip().casefold() in MISSING_VALUES:
                raise ValueError(
                    f"a name for {label!r} ({name!r} looks like a missing value), or null, "
                    "without quotes, to leave the label out"
                )
        return labels

    @property
    def reader(self) -> str:
        """Name of the reader in the table of corpora."""
        return self.kind or self.name


class ListedCorpus(CorpusSpec):
    """A corpus as a suite lists it, with what decides no outcome."""

    known_as: str | None = None
    """The published corpus that it is, whatever it is called here and whatever reads it, by a name
    in `harness.data.known_corpora`; "none" for one that is not published."""

    @property
    def used(self) -> CorpusSpec:
        """What trials use of it."""
        return CorpusSpec(**{name: getattr(self, name) for name in CorpusSpec.model_fields})


class BackboneSpec(Spec):
    """One backbone: a known name, and optionally other weights for it; or one of your own."""

    name: PathText
    kind: str = ""
    """The family of a backbone of your own, such as hubert; it needs a source."""
    source: PathText | None = None
    """A local folder, instead of the places where backbones are looked for; with a kind, also
    a repository of the Hugging Face hub, org/name."""
    revision: str | None = None
    init: Literal["pretrained", "random"] = "pretrained"

    @model_validator(mode="after")
    def _own_name(self) -> BackboneSpec:
        # a known one may be named by a path or a repository, and is called by its card's name
        if self.kind:
            TypeAdapter(Name).validate_python(self.name)
        return self

    @property
    def folder(self) -> str | None:
        """Where to load a known backbone from; the card of one of your own tells its place."""
        return None if self.kind else self.source


class ListedBackbone(BackboneSpec):
    """A backbone as a suite lists it, with what decides no outcome."""

    audio_seen: tuple[str, ...] | None = None
    """Corpora whose recordings its weights have heard in pretraining; empty if none. Left out, its
    card says it, if the weights are the published ones."""
    emotion_labels_seen: tuple[str, ...] | None = None
    """Corpora whose emotion labels they were tuned on, in the same way."""

    @property
    def used(self) -> BackboneSpec:
        """What trials use of it."""
        return BackboneSpec(**{name: getattr(self, name) for name in BackboneSpec.model_fields})


class ProtocolSpec(Spec):
    """How a corpus is cut into folds and splits."""

    folds: Count | Literal["loso", "official", "emobox"] = 5
    dev_speakers: Count | None = None
    """Speakers cut from train for dev; a fifth of them, at least one, when left out."""
    only_folds: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None

    @field_validator("folds")
    @classmethod
    def _two_or_more(cls, folds: int | str) -> int | str:
        if folds == 1:
            raise ValueError("needs at least 2 folds, or one of loso, official, emobox")
        return folds
