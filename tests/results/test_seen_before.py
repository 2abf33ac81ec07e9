"""Which corpora a backbone has met before it is scored on them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import MadeUpRun, make_trial

from backbones import BACKBONES, BackboneCard
from harness.data.known_corpora import EMOBOX, KNOWN_CORPORA
from harness.results.seen_before import published_corpora, seen_before, seen_by_card, what_was_seen
from harness.results.seen_statements import SeenStatement, SeenStatements
from harness.specs import BackboneSpec, CorpusSpec, ListedCorpus

AUDIO, LABELS, UNKNOWN = "AUDIO SEEN", "LABELS SEEN", "SEEN UNKNOWN"
HEARD_BY_EMOTION2VEC = {"IEMOCAP", "MELD", "CMU-MOSEI", "MEAD", "MSP-Podcast"}
OWN = BackboneSpec(name="mine", kind="hubert", source="org/mine")


def manifest(name: str) -> CorpusSpec:
    return CorpusSpec(name=name, kind="manifest")


def flags_of(backbone: str | BackboneSpec, corpus: CorpusSpec, **said: Any) -> tuple[str, ...]:
    spec = BackboneSpec(name=backbone) if isinstance(backbone, str) else backbone
    return seen_before(spec, corpus, said=SeenStatements(**said)).flags


@pytest.mark.parametrize("corpus", sorted(KNOWN_CORPORA))
@pytest.mark.parametrize(
    ("backbone", "audio", "labels"),
    [
        ("emotion2vec_base", HEARD_BY_EMOTION2VEC, set()),
        ("emotion2vec_plus_seed", HEARD_BY_EMOTION2VEC, set(EMOBOX)),
        ("emotion2vec_plus_base", HEARD_BY_EMOTION2VEC, set(EMOBOX)),
        ("emotion2vec_plus_large", HEARD_BY_EMOTION2VEC, set(EMOBOX)),
        ("wav2vec2-large-robust-msp-dim", set(), {"MSP-Podcast"}),
        ("wavlm-large", set(), set()),
        ("whisper-large-v3", set(), set()),
    ],
)
def test_the_cards_mark_what_their_makers_say_and_nothing_else(
    backbone: str, audio: set[str], labels: set[str], corpus: str
) -> None:
    expected = (*[AUDIO] * (corpus in audio), *[LABELS] * (corpus in labels))
    assert flags_of(backbone, manifest(corpus.lower())) == expected


@pytest.mark.parametrize("corpus", ["call_centre", "my_meldings", "nemo", "berlin_calls"])
def test_guessed_labels_mark_no_corpus_that_the_guesser_was_not_tuned_on(corpus: str) -> None:
    assert flags_of("emotion2vec_plus_large", manifest(corpus)) == ()
    assert flags_of("emotion2vec_plus_large", CorpusSpec(name="synthetic")) == ()


@pytest.mark.parametrize(
    ("corpus", "published"),
    [
        (CorpusSpec(name="ravdess"), {"RAVDESS"}),
        (CorpusSpec(name="acted", kind="emodb"), {"EMO-DB"}),
        (CorpusSpec(name="my_crema", kind="emodb"), {"EMO-DB"}),
        (manifest("crema"), {"CREMA-D"}),
        (manifest("berlin"), {"EMO-DB"}),
        (CorpusSpec(name="esd", kind="emobox"), {"ESD"}),
        (CorpusSpec(name="acted", kind="emobox", manifest="data/mesd/mesd.jsonl"), {"MESD"}),
        (CorpusSpec(name="acted", kind="manifest", manifest="mesd.csv"), set()),
        (ListedCorpus(name="acted", kind="manifest", known_as="crema-d"), {"CREMA-D"}),
        (ListedCorpus(name="urdu", kind="manifest", known_as="none"), set()),
        (CorpusSpec(name="synthetic"), set()),
    ],
)
def test_a_corpus_is_what_is_said_of_it_else_what_its_reader_reads_else_what_its_name_says(
    corpus: CorpusSpec, published: set[str]
) -> None:
    assert published_corpora(corpus) == published


def test_what_the_suite_says_of_a_corpus_counts_by_its_name() -> None:
    said = {"known_as": {"acted": "crema", "meld": "none"}}
    assert flags_of("emotion2vec_plus_seed", manifest("acted")) == ()
    assert flags_of("emotion2vec_plus_seed", manifest("acted"), **said) == (LABELS,)
    assert flags_of("emotion2vec_plus_seed", manifest("meld"), **said) == ()


def test_a_list_of_emobox_without_a_known_name_is_one_of_its_corpora() -> None:
    corpus = CorpusSpec(name="acted", kind="emobox")
    assert flags_of("emotion2vec_plus_seed", corpus) == (LABELS,)
    assert flags_of("wav2vec2-large-robust-msp-dim", corpus) == ()
    assert flags_of("emotion2vec_plus_seed", corpus, known_as={"acted": "none"}) == ()


def test_a_users_own_weights_are_unknown_until_the_suite_says_what_they_saw() -> None:
    corpus = manifest("my_crema")
    assert flags_of(OWN, corpus) == (UNKNOWN,)
    half = {"mine": SeenStatement(audio_seen=())}
    assert flags_of(OWN, corpus, backbones=half) == (UNKNOWN,)
    none = {"mine": SeenStatement(audio_seen=(), emotion_labels_seen=())}
    assert flags_of(OWN, corpus, backbones=none) == ()
    both = {"mine": SeenStatement(audio_seen=("Crema-D",), emotion_labels_seen=("EmoBox",))}
    assert flags_of(OWN, corpus, backbones=both) == (AUDIO, LABELS)
    assert flags_of(OWN, manifest("calls"), backbones=both) == ()


@given(st.sampled_from(["audio_seen", "emotion_labels_seen"]), st.text(min_size=1, max_size=20))
def test_a_corpus_that_is_not_published_can_be_said_to_be_seen(key: str, name: str) -> None:
    stated = {"audio_seen": (), "emotion_labels_seen": (), key: (f"x0{name}",)}
    said = SeenStatements(backbones={"mine": SeenStatement(**stated)})
    met = seen_before(OWN, CorpusSpec.model_construct(name=f"X0 {name}", kind="manifest"), (), said)
    assert met.flags == ((AUDIO,) if key == "audio_seen" else (LABELS,))


@pytest.mark.parametrize(
    ("spec", "known"),
    [
        ({"name": "wavlm-base"}, True),
        ({"name": "wavlm-base", "source": "/models/wavlm-base"}, True),
        ({"name": "wavlm-base", "source": "/models/WavLM_Base/"}, True),
        (
            {"name": "wavlm-base", "source": "/hub/models--microsoft--wavlm-base/snapshots/a"},
            True,
        ),
        ({"name": "whisper-base-30s", "source": "/models/whisper-base"}, True),
        ({"name": "wavlm-base", "source": "/models/mine"}, False),
        ({"name": "wavlm-base", "source": "/models/wavlm-base/tuned"}, False),
        ({"name": "wavlm-base", "source": "/models/wavlm-large"}, False),
        ({"name": "mine", "kind": "wavlm", "source": "microsoft/WavLM-base"}, True),
        ({"name": "mine", "kind": "wavlm", "source": "me/wavlm-base"}, False),
        ({"name": "mine", "kind": "wavlm", "source": "/models/wavlm-base"}, False),
        ({"name": "mine", "kind": "wavlm", "source": "org/mine", "init": "random"}, True),
        ({"name": "wavlm-base", "source": "/models/mine", "init": "random"}, True),
        ({"name": "of_no_table"}, False),
        ({"name": "logmel"}, True),
        ({"name": "tiny-wavlm"}, True),
    ],
)
def test_the_published_weights_are_known_and_others_are_not(
    spec: dict[str, Any], known: bool
) -> None:
    assert (flags_of(BackboneSpec(**spec), CorpusSpec(name="ravdess")) == ()) == known


@pytest.mark.parametrize("source", ["audeering/wav2vec2-large-robust-12-ft-emotion-msp-dim"])
def test_a_repository_that_a_card_names_is_known_by_whatever_name(source: str) -> None:
    spec = BackboneSpec(name="theirs", kind="wav2vec2", source=source)
    assert flags_of(spec, manifest("msp_podcast")) == (LABELS,)


def test_random_weights_have_seen_nothing() -> None:
    for spec in (OWN, BackboneSpec(name="emotion2vec_plus_seed")):
        random = spec.model_copy(update={"init": "random"})
        assert flags_of(random, CorpusSpec(name="ravdess")) == ()
    said = {"mine": SeenStatement(audio_seen=("RAVDESS",))}
    random = OWN.model_copy(update={"init": "random"})
    assert flags_of(random, CorpusSpec(name="ravdess"), backbones=said) == ()


def test_what_the_suite_says_counts_before_the_card() -> None:
    said = {"emotion2vec_plus_base": SeenStatement(emotion_labels_seen=("TESS",))}
    seen = what_was_seen(
        BackboneSpec(name="emotion2vec_plus_base"), said=SeenStatements(backbones=said)
    )
    assert (seen.labels, seen.guessed) == (("TESS",), ())
    assert "IEMOCAP" in (seen.audio or ())


@pytest.mark.parametrize(
    ("says", "flags"),
    [
        ({}, (UNKNOWN,)),
        ({"pretrained_on": ("Libri-Light",)}, ()),
        ({"pretrained_on": ("RAVDESS",)}, (AUDIO,)),
        ({"emotion_labels_seen": ("RAVDESS",)}, (LABELS, UNKNOWN)),
    ],
)
def test_a_card_of_another_package_that_is_silent_leaves_it_open(
    says: dict[str, Any], flags: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = BackboneCard("theirs", "hubert", 64, 4, huggingface="org/theirs", **says)
    monkeypatch.setattr("harness.results.seen_before.BACKBONES", BACKBONES.with_card(card))
    assert flags_of("theirs", CorpusSpec(name="ravdess")) == flags


def test_every_card_with_weights_says_what_they_have_seen() -> None:
    for card in BACKBONES.values():
        assert None not in (seen_by_card(card).audio, seen_by_card(card).labels)


def test_without_a_card_the_record_tells_the_labels(empty_run: MadeUpRun) -> None:
    record = empty_run.add(make_trial("of_no_table"), emotion_labels_seen=["RAVDESS"])
    trial = record.trial
    assert seen_before(trial.backbone, trial.corpus, [record]).flags == (LABELS, UNKNOWN)


def test_a_card_put_right_reaches_finished_records(empty_run: MadeUpRun) -> None:
    record = empty_run.add(make_trial("emotion2vec_plus_seed"), emotion_labels_seen=[])
    (row,) = empty_run.report().rows
    assert (row.flags, record.emotion_labels_seen) == ((LABELS,), [])
