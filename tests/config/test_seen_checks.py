"""What a suite says of corpora that were seen before, and slips in it."""

from pathlib import Path
from typing import Any

import pytest

from harness.config.matrix import expand
from harness.config.suite_loading import load_corpus_spec, load_suite
from harness.errors import SuiteError

SUITE = """\
    suite: seen
    corpora:
      - {corpus}
    protocol: {{folds: 2}}
    backbones:
      - {backbone}
    matrix: {{finetune_layers: [0]}}
    """


def suite(write_suite: Any, corpus: str = "synthetic", backbone: str = "wavlm-base") -> Any:
    return load_suite(write_suite(SUITE.format(corpus=corpus, backbone=backbone)), ())


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("{name: mine, kind: manifest, known_as: cremad-d}", "did you mean 'CREMA-D'"),
        ("{name: mine, kind: manifest, known_as: EmoBox}", "unknown corpus 'EmoBox'"),
        ("{name: mine, kind: manifest, known_as: x}", r"unknown corpus 'x': \(allowed: AESDD"),
        ("{name: mine, kind: emodb, known_as: crema}", "reads EMO-DB: leave known_as out"),
        ("{name: ravdess, known_as: none}", "reads RAVDESS: leave known_as out"),
        ("{name: mine, kind: manifest, known_as: [crema]}", "found a list, needs text"),
        ("{name: mine, kind: manifest, known: crema}", "did you mean 'known_as'"),
    ],
)
def test_a_corpus_is_known_as_one_of_the_table(write_suite: Any, corpus: str, message: str) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        suite(write_suite, corpus=corpus)
    assert "suite.yaml:3" in str(caught.value)


@pytest.mark.parametrize("known_as", ["crema-d", "Crema", "CREMA_D", "none", "berlin"])
def test_any_of_its_names_will_do(write_suite: Any, known_as: str) -> None:
    corpus = f"{{name: mine, kind: manifest, known_as: {known_as}}}"
    assert suite(write_suite, corpus=corpus).corpora[0].known_as == known_as


@pytest.mark.parametrize("key", ["audio_seen", "emotion_labels_seen"])
@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("[CREMA-DD]", "did you mean 'CREMA-D'"),
        ("[emoboxx]", "did you mean 'EmoBox'"),
        ("[3]", "found 3, needs text"),
        ("crema", "needs a list"),
    ],
)
def test_a_slip_in_what_a_backbone_saw_is_told(
    write_suite: Any, key: str, names: str, message: str
) -> None:
    with pytest.raises(SuiteError, match=message) as caught:
        suite(write_suite, backbone=f"{{name: wavlm-base, {key}: {names}}}")
    assert f"{key}" in str(caught.value)
    assert "suite.yaml:6" in str(caught.value)


@pytest.mark.parametrize("names", ["[]", "[EmoBox, crema, LibriSpeech, our calls]", "[cremaa]"])
def test_other_corpora_may_be_named_too(write_suite: Any, names: str) -> None:
    corpus = "{name: cremaa, kind: manifest}"  # near a known name, and in the suite
    found = suite(write_suite, corpus, f"{{name: wavlm-base, audio_seen: {names}}}")
    assert found.backbones[0].audio_seen is not None


def test_what_is_said_is_no_part_of_a_trial(write_suite: Any) -> None:
    backbone = "{name: wavlm-base, audio_seen: [MELD], emotion_labels_seen: []}"
    silent = suite(write_suite)
    telling = suite(write_suite, "{name: synthetic, known_as: meld}", backbone)
    trials, same = (expand(each, lambda _: (1, 2)) for each in (silent, telling))
    assert trials == same
    assert [t.trial_id for t in trials] == [t.trial_id for t in same]
    assert trials[0].model_dump() == same[0].model_dump()


def test_a_corpus_to_be_scored_on_says_what_it_is_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "other.yaml"
    path.write_text("name: other\nkind: manifest\nknown_as: crema\n")
    assert load_corpus_spec(str(path)).known_as == "crema"
    path.write_text("name: other\nkind: manifest\nknown_as: cremaa\n")
    with pytest.raises(SuiteError, match=r"other.yaml:3: known_as: unknown corpus 'cremaa'"):
        load_corpus_spec(str(path))
