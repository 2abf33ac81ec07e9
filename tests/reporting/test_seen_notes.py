"""Which corpora the backbones of a table had met before, told under it."""

from typing import Any

from made_up import MadeUpRun, make_trial

from harness.reporting.text_tables import to_markdown
from harness.results.seen_statements import SeenStatement, SeenStatements
from harness.specs import BackboneSpec, CorpusSpec

ACTED = CorpusSpec(name="acted", kind="manifest")
CREMA = CorpusSpec(name="crema", kind="manifest")
OWN = BackboneSpec(name="mine", kind="hubert", source="org/mine")


def notes(run: MadeUpRun, **said: Any) -> list[str]:
    marks = ("Audio heard", "Emotion labels", "Not said", "AUDIO SEEN", "LABELS SEEN", "SEEN UNK")
    lines = to_markdown(run.report(said=SeenStatements(**said))).splitlines()
    found = (line.removeprefix("- ") for line in lines)
    return [line for line in found if line.startswith(marks)]


def test_nothing_is_said_where_nothing_was_seen(empty_run: MadeUpRun) -> None:
    empty_run.add(make_trial("emotion2vec_base"))
    empty_run.add(make_trial("emotion2vec_plus_seed", corpus=ACTED))
    assert notes(empty_run) == []


def test_each_backbone_has_a_line_that_names_the_corpora(empty_run: MadeUpRun) -> None:
    for corpus in (CorpusSpec(name="ravdess"), ACTED, CREMA, CorpusSpec(name="b", kind="emodb")):
        for fold in (1, 2):
            empty_run.add(make_trial("emotion2vec_plus_seed", fold, corpus=corpus))
    empty_run.add(make_trial("emotion2vec_plus_base"))
    meaning, seed, base = notes(empty_run)
    assert meaning.startswith("LABELS SEEN: the backbone was tuned on emotion labels of this")
    assert seed == (
        "Emotion labels seen by emotion2vec_plus_seed: EmoBox; of the corpora here "
        "ravdess, b (EMO-DB), crema (CREMA-D)."
    )
    assert base == (
        "Emotion labels seen by emotion2vec_plus_base, as guesses of a network tuned on them: "
        "EmoBox; of the corpora here ravdess."
    )


def test_audio_is_told_with_what_the_suite_says_a_corpus_is(empty_run: MadeUpRun) -> None:
    empty_run.add(make_trial("emotion2vec_base", corpus=ACTED))
    meaning, line = notes(empty_run, known_as={"acted": "mead"})
    assert meaning.startswith("AUDIO SEEN: ")
    assert line == (
        "Audio heard in pretraining by emotion2vec_base: IEMOCAP, MELD, CMU-MOSEI, MEAD, "
        "MSP-Podcast; of the corpora here acted (MEAD)."
    )


def test_what_is_unknown_is_told_with_the_keys_that_would_say_it(empty_run: MadeUpRun) -> None:
    empty_run.add(make_trial().model_copy(update={"backbone": OWN}))
    meaning, line = notes(empty_run)
    assert "write `audio_seen: [...]` and `emotion_labels_seen: [...]`" in meaning
    assert line == "Not said of mine: audio_seen and emotion_labels_seen."
    half = {"mine": SeenStatement(audio_seen=("LibriSpeech",))}
    assert notes(empty_run, backbones=half)[-1] == "Not said of mine: emotion_labels_seen."
