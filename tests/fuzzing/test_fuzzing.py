"""Whatever a suite or a list of recordings holds, it is read or one clear error comes back.

FUZZ_CASES=20000 FUZZ_SEED=1 pytest tests/fuzzing -s
"""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import manifest_files
import numpy as np
import pytest
import soundfile
import suite_texts

import harness
from backbones import BackboneError
from harness.data.corpus_reading import read_corpus
from harness.errors import HarnessError
from harness.specs import CorpusSpec

CASES = int(os.environ.get("FUZZ_CASES", "1000"))
LONGEST_S = 10.0
"""Of a case, on a busy machine: bombs would take minutes, or all memory."""


@pytest.fixture(scope="module")
def first_seed() -> int:
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(10**9)))
    print(f"\n{CASES:,} cases of each kind from FUZZ_SEED={seed}")
    return seed


def told_or_read(read: Callable[[], object], seed: int) -> bool:
    """Whether it could be read; else an error was told that can be printed."""
    started, told = time.monotonic(), None
    try:
        read()
    except (HarnessError, BackboneError) as error:
        told = str(error)
    except BaseException as error:
        raise AssertionError(f"case {seed}: {type(error).__name__}") from error
    assert told is None or told.encode(), seed
    assert time.monotonic() - started < LONGEST_S, seed
    return told is None


@pytest.mark.slow
def test_a_suite_is_read_or_its_mistakes_are_told(tmp_path: Path, first_seed: int) -> None:
    file = tmp_path / "suite.yaml"
    read = 0
    for seed in range(first_seed, first_seed + CASES):
        file.write_bytes(suite_texts.mutated(seed).encode("utf-8", "surrogatepass"))
        read += told_or_read(lambda: harness.plan(file), seed)
    print(f"suites: {read} read, {CASES - read} told")
    assert 0 < read < CASES


@pytest.mark.slow
def test_a_manifest_is_read_or_its_mistakes_are_told(tmp_path: Path, first_seed: int) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, noise, 16_000)
    read = 0
    for seed in range(first_seed, first_seed + CASES):
        name = manifest_files.write(seed, tmp_path)
        spec = CorpusSpec(name="listed", kind="manifest", root=str(tmp_path), manifest=name)
        read += told_or_read(lambda spec=spec: read_corpus(spec), seed)
    print(f"manifests: {read} read, {CASES - read} told")
    assert 0 < read < CASES
