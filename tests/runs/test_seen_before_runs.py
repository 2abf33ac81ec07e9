"""From what a suite says of corpora and backbones to the flags of its report, in real runs."""

from pathlib import Path

import pytest
import soundfile
from quiet import Quiet
from transformers import HubertConfig, HubertModel

from backbones import BACKBONES
from harness.config.suite_loading import load_corpus_spec, load_suite
from harness.data.readers import synthetic
from harness.reporting.rendering import report_of
from harness.reporting.text_tables import to_markdown
from harness.results.merging import merge_into
from harness.results.store import ResultsStore
from harness.runs.evaluation import evaluate_kept
from harness.runs.planning import make_plan
from harness.runs.run_summary import RunSummary
from harness.runs.runtime_options import RuntimeOptions
from harness.runs.suite_run import run_plan
from harness.specs import Suite

SUITE = """\
suite: seen
corpora:
  - {{name: acted, kind: manifest, root: {folder}, manifest: list.csv{corpus}}}
protocol: {{folds: 3, only_folds: [1]}}
backbones:
  - {{name: mine, kind: hubert, source: {folder}/mine{backbone}}}
matrix: {{finetune_layers: [0]}}
training: {{epochs: 1}}
cost: null
keep_models: all
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A list of recordings, and a tiny network of the user's own."""
    made = tmp_path_factory.mktemp("made")
    lines = ["file,label,speaker"]
    for speaker in ("s1", "s2", "s3", "s4"):
        for label in ("angry", "sad"):
            for take in (1, 2):
                name = f"{speaker}-{label}-{take}.wav"
                sound = synthetic.synthesise(speaker, label, take)
                soundfile.write(made / name, sound, 16_000)
                lines.append(f"{name},{label},{speaker}")
    (made / "list.csv").write_text("\n".join(lines))
    network = HubertModel(HubertConfig.from_dict(BACKBONES["tiny-wavlm"].architecture))
    network.save_pretrained(made / "mine")
    return made


def suite(folder: Path, corpus: str = "", backbone: str = "") -> Suite:
    path = folder / "suite.yaml"
    path.write_text(SUITE.format(folder=folder, corpus=corpus, backbone=backbone))
    return load_suite(path)


def run(found: Suite, store: ResultsStore) -> RunSummary:
    return run_plan(make_plan(found), store, Quiet(), RuntimeOptions("cpu", offline=True))


def seen_flags(store: ResultsStore) -> list[str]:
    (row,) = report_of(store).rows
    return [flag for flag in row.flags if "SEEN" in flag]


def test_what_is_said_later_marks_finished_trials_and_trains_nothing(
    folder: Path, tmp_path: Path
) -> None:
    store = ResultsStore(tmp_path / "seen")
    assert run(suite(folder), store).reused == 0
    assert seen_flags(store) == ["SEEN UNKNOWN"]
    before = {path: path.read_bytes() for path in store.trials.glob("*/record.json")}
    labels = ", audio_seen: [], emotion_labels_seen: [CREMA-D]"
    assert run(suite(folder, ", known_as: crema-d", labels), store).reused == 1
    assert {path: path.read_bytes() for path in store.trials.glob("*/record.json")} == before
    assert seen_flags(store) == ["LABELS SEEN"]
    text = to_markdown(report_of(store))
    assert "- LABELS SEEN: the backbone was tuned on emotion labels of this corpus" in text
    assert "- Emotion labels seen by mine: CREMA-D; of the corpora here acted (CREMA-D)." in text
    audio = ", audio_seen: [crema], emotion_labels_seen: []"
    assert run(suite(folder, ", known_as: crema-d", audio), store).reused == 1
    assert seen_flags(store) == ["AUDIO SEEN"]
    assert run(suite(folder, "", audio), store).reused == 1
    assert seen_flags(store) == []


def test_scores_on_another_corpus_are_marked_for_that_corpus(folder: Path, tmp_path: Path) -> None:
    store = ResultsStore(tmp_path / "seen")
    run(suite(folder, "", ", audio_seen: [acted], emotion_labels_seen: [Crema]"), store)
    (other := tmp_path / "other").mkdir()
    lines = ["file,label,speaker"]
    for label in ("angry", "sad"):
        soundfile.write(other / f"{label}.wav", synthetic.synthesise("s5", label, 9), 16_000)
        lines.append(f"{label}.wav,{label},s5")
    (other / "list.csv").write_text("\n".join(lines))
    spec = f"name: other\nkind: manifest\nroot: {other}\nmanifest: list.csv\n"
    flags = {}
    for known_as in ("", "known_as: crema-d\n"):
        (tmp_path / "other.yaml").write_text(spec + known_as)
        corpus = load_corpus_spec(str(tmp_path / "other.yaml"))
        found = evaluate_kept(store, None, corpus, Quiet(), device="cpu", offline=True)
        flags[known_as] = seen_flags(found.stores[0])
    assert flags == {"": [], "known_as: crema-d\n": ["LABELS SEEN"]}
    own = evaluate_kept(store, None, None, Quiet(), device="cpu", offline=True)
    assert seen_flags(own.stores[0]) == ["AUDIO SEEN"]


def test_what_the_parts_of_a_suite_said_is_said_of_the_whole(folder: Path, tmp_path: Path) -> None:
    part, whole = (ResultsStore(tmp_path / name / "seen") for name in ("part", "whole"))
    run(suite(folder, "", ", audio_seen: [acted], emotion_labels_seen: []"), part)
    whole.prepare()
    merge_into(whole, [part])
    assert seen_flags(whole) == ["AUDIO SEEN"]
