"""What a suite needs, and that prefetch knows where each part of a shipped suite comes from."""

import pytest
from quiet import Quiet

import backbones
from harness.config.suite_loading import load_suite, shipped_suites
from harness.data.corpus_reading import corpus_card
from harness.data.prefetch.corpus_sources import SOURCES
from harness.data.prefetch.requirements import prefetch_all, requirements_of
from harness.errors import UserError
from harness.specs import BackboneSpec


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_every_part_of_a_shipped_suite_is_known_to_prefetch(name: str) -> None:
    needs = requirements_of(load_suite(name), [], [])
    for spec in needs.backbones:
        card = backbones.BACKBONES.card(spec.name)
        weightless = spec.init == "random" or card.family == "logmel"
        assert weightless or card.huggingface or card.modelscope
    for corpus in needs.corpora:
        assert corpus.reader in SOURCES or not corpus_card(corpus).needs_root


def test_what_is_named_beside_a_suite_is_needed_once() -> None:
    needs = requirements_of(
        load_suite("smoke"), ["tiny-wavlm", "wavlm-base"], ["ravdess", "synthetic"]
    )
    assert [spec.name for spec in needs.corpora] == ["synthetic", "ravdess"]
    assert BackboneSpec(name="wavlm-base") in needs.backbones


def test_one_failure_does_not_keep_the_others_from_being_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HARNESS_CORPORA", raising=False)
    reporter = Quiet()
    with pytest.raises(UserError, match="HARNESS_CORPORA"):
        prefetch_all(requirements_of(load_suite("smoke"), [], ["ravdess"]), reporter)
    assert any(note.startswith("synthetic") for note in reporter.notes)
