"""What a run would refuse is told when it is planned, as far as lists can tell."""

from pathlib import Path
from typing import Any

import pytest

from harness.config.suite_loading import load_suite
from harness.runs.plan_checks import PlanChecks, check_plan
from harness.runs.planning import make_plan

LABELS = ("angry", "happy", "sad")


def written(root: Path, pairs: list[tuple[str, str]]) -> Path:
    lines = ["file,label,speaker"]
    for n, (label, speaker) in enumerate(pairs):
        (root / f"{n}.wav").touch()
        lines.append(f"{n}.wav,{label},{speaker}")
    (root / "manifest.csv").write_text("\n".join(lines))
    return root


def checked(root: Path, *changes: str) -> PlanChecks:
    corpus = f"corpora=[{{name: mine, kind: manifest, root: {root}}}]"
    suite = load_suite("smoke", [corpus, "protocol={folds: 2}", *changes])
    return check_plan(make_plan(suite).selected)


GOOD = [(label, speaker) for speaker in "123456" for label in LABELS]


def test_a_good_plan_has_nothing_to_say(tmp_path: Path) -> None:
    assert checked(written(tmp_path, GOOD)) == PlanChecks((), ())


def test_a_faulty_list_is_told_once_however_many_folds_it_has(tmp_path: Path) -> None:
    root = written(tmp_path, GOOD)
    (root / "0.wav").unlink()
    (mistake,) = checked(root).mistakes
    assert "line 2: file '0.wav' does not exist" in mistake


@pytest.mark.parametrize(
    ("pairs", "changes", "told"),
    [
        ([(label, label) for label in LABELS * 4], (), "is the column of speakers right?"),
        ([("sad", s) for s in "123456"], (), "at least two classes are needed"),
        (GOOD, ("protocol={folds: 7}",), "6 speakers, too few for 7 speaker-disjoint folds"),
        (GOOD, ("protocol={folds: 2, dev_speakers: 3}",), "3 dev speakers leave none of the 3"),
    ],
)
def test_folds_that_cannot_be_cut_are_told(
    tmp_path: Path, pairs: list[tuple[str, str]], changes: tuple[str, ...], told: str
) -> None:
    found = checked(written(tmp_path, pairs), *changes)
    assert any(told in mistake for mistake in found.mistakes)


def test_strange_speakers_are_noted_though_the_folds_can_be_cut(tmp_path: Path) -> None:
    """Every utterance has a speaker of its own, and so no speaker is ever in two splits."""
    pairs = [(label, f"{label}{n}") for label in LABELS for n in range(6)]
    found = checked(written(tmp_path, pairs))
    assert found.mistakes == ()
    assert found.notes[0] == (
        "corpus 'mine'; every utterance has a speaker of its own: is the column of speakers right?"
    )


def test_leakage_that_a_list_shows_is_told(tmp_path: Path) -> None:
    """Each stretch of the one recording overlaps the next, whoever speaks in it."""
    lines = ["file,label,speaker,start_s,end_s"]
    lines += [f"all.wav,{label},{who},{n},{n + 1.5}" for n, (label, who) in enumerate(GOOD)]
    (tmp_path / "all.wav").touch()
    (tmp_path / "manifest.csv").write_text("\n".join(lines))
    mistakes = checked(tmp_path).mistakes
    assert mistakes
    assert all("share parts of a recording" in mistake for mistake in mistakes)


def test_splits_without_a_class_are_noted(tmp_path: Path) -> None:
    pairs = [*GOOD, ("neutral", "1"), ("neutral", "2")]
    notes = checked(written(tmp_path, pairs)).notes
    assert notes
    assert all(note.endswith("has no neutral") for note in notes)
    assert all(note.startswith("corpus 'mine', fold ") for note in notes)


def test_a_corpus_that_lies_elsewhere_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
    suite = load_suite("smoke", ["corpora=[ravdess]", "protocol={folds: 2}"])
    found = check_plan(make_plan(suite).selected)
    assert found == PlanChecks((), ("corpus 'ravdess' is not on this machine: not checked",))


def test_weights_are_looked_for_where_the_suite_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HF_HOME", "HF_HUB_CACHE", "MODELSCOPE_CACHE", "HARNESS_MODELS"):
        monkeypatch.setenv(variable, str(tmp_path / "empty"))
    root = written(tmp_path, GOOD)
    (mistake,) = checked(root, "backbones=[{name: wavlm-base, source: /nowhere}]").mistakes
    assert "wavlm-base: the source /nowhere is not a folder with config.json" in mistake
    found = checked(root, "backbones=[wavlm-base, tiny-wavlm]")
    assert found == PlanChecks(
        (), ("weights of wavlm-base are not on this machine: a run fetches them",)
    )
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").touch()
    here = f"backbones=[{{name: wavlm-base, source: {tmp_path}}}]"
    assert checked(root, here) == PlanChecks((), ())


def test_the_command_tells_all_of_it_and_fails_for_mistakes_alone(cli: Any, tmp_path: Path) -> None:
    good, bad = tmp_path / "good", tmp_path / "bad"
    for root, pairs in ((good, [*GOOD, ("neutral", "1"), ("neutral", "2")]), (bad, GOOD[:3])):
        root.mkdir()
        written(root, pairs)
    command = ("plan", "smoke", "--set", "protocol={folds: 2}", "--set")
    answer = cli(*command, f"corpora=[{{name: mine, kind: manifest, root: {good}}}]")
    assert answer.code == 0
    assert "note: corpus 'mine', fold " in answer.out
    answer = cli(*command, f"corpora=[{{name: mine, kind: manifest, root: {bad}}}]")
    assert answer.code == 2
    assert "has 1 speakers, too few" in answer.err
