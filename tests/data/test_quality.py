from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from harness.data.audio_info import AudioInfo, inspect_audio
from harness.data.quality import apply_policy
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.errors import CorpusError
from harness.specs import QualitySpec

GOOD = {"duration_s": 2.0, "peak": 0.5, "error": None}
FAULTS = {
    "undecodable": {"duration_s": None, "peak": None, "sha256": None, "error": "is not audio"},
    "empty": {"duration_s": 0.0, "peak": 0.0},
    "too_short": {"duration_s": 0.2},
    "silent": {"peak": 1e-4},
    "over_scale": {"peak": 9831.0},
}


def corpus_with(**faults: str) -> tuple[Corpus, list[AudioInfo]]:
    """Four good utterances of each of two classes, and one for each fault."""
    names = [f"good{number}" for number in range(8)] + list(faults)
    labels = {name: ("happy", "sad")[number % 2] for number, name in enumerate(names)}
    corpus = make_corpus("mine", (Utterance(n, Path(n), labels[n], "s") for n in names))
    audio_info = [
        AudioInfo(**{**GOOD, "utterance_id": n, "sha256": n, **FAULTS.get(faults.get(n, ""), {})})
        for n in names
    ]
    return corpus, audio_info


@pytest.mark.parametrize(
    ("samples", "kind", "told"),
    [
        ([[0.5, -0.5], [-0.5, 0.5]], "silent", "as its channels cancel each other or hold a con"),
        ([[0.4, 0.4], [0.4, 0.4]], "silent", "of full scale, as its channels"),
        ([[0.0, 0.0], [1e-4, 0.0]], "silent", "swings by 2.5e-05 of full scale"),
        ([[9831.0, 0.0], [-9831.0, 0.0]], "over_scale", "reach 9831 where full scale is 1"),
    ],
)
def test_what_is_heard_is_checked_and_not_what_is_stored(
    tmp_path: Path, samples: list[list[float]], kind: str, told: str
) -> None:
    noise = 0.3 * np.random.default_rng(0).normal(size=(8_000, 2))
    soundfile.write(tmp_path / "good.wav", noise, 16_000)
    soundfile.write(tmp_path / "bad.wav", np.tile(samples, (4_000, 1)), 16_000, subtype="FLOAT")
    corpus = make_corpus(
        "mine", (Utterance(n, tmp_path / f"{n}.wav", "sad", "s") for n in ("good", "bad"))
    )
    with pytest.raises(CorpusError, match=re.escape(told)):
        apply_policy(corpus, inspect_audio(corpus), QualitySpec())
    policy = QualitySpec.model_validate({kind: "exclude"})
    used, _ = apply_policy(corpus, inspect_audio(corpus), policy)
    assert [u.utterance_id for u in used.utterances] == ["good"]


def test_a_constant_beside_speech_is_no_fault(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=8_000)
    soundfile.write(tmp_path / "a.wav", noise + 0.3, 16_000)
    corpus = make_corpus("mine", [Utterance("a", tmp_path / "a.wav", "sad", "s")])
    assert apply_policy(corpus, inspect_audio(corpus), QualitySpec())[1].problems == ()


def test_a_clean_corpus_passes_whole() -> None:
    corpus, audio_info = corpus_with()
    used, report = apply_policy(corpus, audio_info, QualitySpec())
    assert used == corpus
    assert report.lines() == ["mine: 8 of 8 utterances used, 0.3 min"]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_by_name_with_what_to_do(fault: str) -> None:
    corpus, audio_info = corpus_with(bad=fault)
    with pytest.raises(CorpusError) as caught:
        apply_policy(corpus, audio_info, QualitySpec())
    assert "1 faulty recordings:\n  bad: " in str(caught.value)
    assert f"quality: {{{fault}: exclude}}" in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_what_the_suite_excludes_is_left_out_and_named(fault: str) -> None:
    corpus, audio_info = corpus_with(bad=fault)
    used, report = apply_policy(corpus, audio_info, QualitySpec.model_validate({fault: "exclude"}))
    assert "bad" not in used.by_id()
    assert len(used.utterances) == 8
    assert [(problem.utterance_id, problem.kind) for problem in report.problems] == [("bad", fault)]
    assert "bad" in report.lines()[1]
    assert "excluded" in report.lines()[1]


def test_silence_may_be_kept_and_is_still_named() -> None:
    corpus, audio_info = corpus_with(bad="silent")
    used, report = apply_policy(corpus, audio_info, QualitySpec(silent="keep"))
    assert used == corpus
    assert "bad: silent" in report.lines()[1]


def test_all_refused_faults_are_told_at_once_and_many_are_counted() -> None:
    corpus, audio_info = corpus_with(**{f"bad{n:02}": "silent" for n in range(11)}, worse="empty")
    with pytest.raises(CorpusError) as caught:
        apply_policy(corpus, audio_info, QualitySpec())
    assert "12 faulty recordings" in str(caught.value)
    assert "and 2 more" in str(caught.value)
    assert "empty: exclude, silent: exclude" in str(caught.value)


def doubled(first: str, second: str) -> tuple[Corpus, list[AudioInfo]]:
    corpus, audio_info = corpus_with()
    copies = {first: "same", second: "same"}
    return corpus, [
        AudioInfo(f.utterance_id, 2.0, 0.5, copies.get(f.utterance_id, f.sha256))
        for f in audio_info
    ]


def test_a_copy_is_kept_and_named_unless_the_suite_says_otherwise() -> None:
    corpus, audio_info = doubled("good0", "good2")
    used, report = apply_policy(corpus, audio_info, QualitySpec())
    assert used == corpus
    assert "good2: the same sound as good0 (kept)" in report.lines()[1]
    used, _ = apply_policy(corpus, audio_info, QualitySpec(duplicate="exclude"))
    assert set(corpus.by_id()) - set(used.by_id()) == {"good2"}
    with pytest.raises(CorpusError, match="good2: the same sound as good0"):
        apply_policy(corpus, audio_info, QualitySpec(duplicate="refuse"))


def test_one_sound_under_two_labels_is_refused_and_excluded_wholly() -> None:
    corpus, audio_info = doubled("good0", "good1")
    with pytest.raises(CorpusError, match="different labels: good0, good1"):
        apply_policy(corpus, audio_info, QualitySpec())
    used, _ = apply_policy(corpus, audio_info, QualitySpec(duplicate="exclude"))
    assert set(corpus.by_id()) - set(used.by_id()) == {"good0", "good1"}


def test_a_class_that_would_vanish_is_told() -> None:
    utterances = [Utterance(n, Path(n), n, "s") for n in ("happy", "sad")]
    audio_info = [AudioInfo("happy", 2.0, 0.5, "x"), AudioInfo("sad", 2.0, 1e-5, "y")]
    with pytest.raises(CorpusError, match="every recording of sad is excluded"):
        apply_policy(make_corpus("mine", utterances), audio_info, QualitySpec(silent="exclude"))


def test_a_class_that_was_never_there_is_not_blamed_on_the_recordings() -> None:
    corpus, audio_info = corpus_with()
    few = corpus.where(lambda utterance: utterance.target == "happy")
    used, _ = apply_policy(few, audio_info[::2], QualitySpec())
    assert used == few
