"""What suites say of corpora and backbones beside the records."""

from pathlib import Path
from typing import Any

import pytest

from harness.config.suite_loading import load_suite
from harness.errors import ResultsError
from harness.results.seen_statements import SeenStatement, SeenStatements
from harness.results.store import ResultsStore


def said_by(*changes: str) -> Any:
    return SeenStatements().updated(load_suite("smoke", changes))


def test_a_suite_says_what_it_says_and_no_more() -> None:
    assert said_by() == SeenStatements()
    said = said_by(
        "corpora=[{name: synthetic, known_as: crema}, ravdess]",
        "backbones=[{name: wavlm-base, audio_seen: []}, logmel]",
        "protocol.folds=2",
        "matrix.finetune_layers=[0]",
    )
    assert said.known_as == {"synthetic": "crema"}
    assert said.backbones == {"wavlm-base": SeenStatement(audio_seen=())}


def test_what_a_suite_no_longer_says_is_gone_and_what_it_does_not_list_stays() -> None:
    before = SeenStatements(
        known_as={"synthetic": "crema", "other": "meld"},
        backbones={
            "tiny-wavlm": SeenStatement(audio_seen=()),
            "other": SeenStatement(audio_seen=()),
        },
    )
    after = before.updated(load_suite("smoke"))
    assert (list(after.known_as), list(after.backbones)) == (["other"], ["other"])


def test_they_come_back_as_they_were_written_and_damage_is_told(tmp_path: Path) -> None:
    store = ResultsStore(tmp_path)
    assert store.read_seen() == SeenStatements()
    said = said_by("corpora=[{name: synthetic, known_as: none}]")
    store.write_seen(said)
    assert store.read_seen() == said
    (tmp_path / "seen.json").write_text("{")
    with pytest.raises(ResultsError, match=r"seen.json is damaged: delete it and run the suite"):
        store.read_seen()
