import logging
import os
import random
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from backbones import load
from backbones.families.emotion2vec.funasr_import import emotion2vec_class, process_state_kept


def random_states() -> tuple[object, ...]:
    numpy = np.random.get_state()[1].tolist()  # noqa: NPY002
    return random.getstate(), numpy, torch.get_rng_state().tolist()


def test_everything_a_guest_changes_is_put_back(capfd: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.level, root.handlers[:], dict(os.environ), torch.get_num_threads())
    filters = warnings.filters[:]
    states = random_states()
    with process_state_kept():
        logging.basicConfig(level=logging.INFO, force=True)
        os.environ["HYDRA_FULL_ERROR"] = "1"
        os.environ.pop("PATH", None)
        torch.set_num_threads(3)
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        warnings.simplefilter("always")
        print("Notice: ffmpeg is not installed.")
    assert before == (root.level, root.handlers[:], dict(os.environ), torch.get_num_threads())
    assert warnings.filters == filters
    assert random_states() == states
    assert capfd.readouterr().out == ""


def fail_inside() -> None:
    with process_state_kept():
        logging.getLogger().setLevel(1)
        raise ZeroDivisionError


def test_it_is_put_back_after_an_error_too() -> None:
    level = logging.getLogger().level
    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert logging.getLogger().level == level


def test_the_rest_of_funasr_is_not_imported() -> None:
    with process_state_kept():
        assert emotion2vec_class().__name__ == "Emotion2vec"
        assert sum(name.startswith("funasr") for name in sys.modules) < 40
    assert not any(name.startswith("funasr") for name in sys.modules)


def test_loading_leaves_the_process_as_it_was() -> None:
    """In a fresh process, where FunASR has not been imported before."""
    script = """
import logging, os, random, sys, numpy, torch, backbones
torch.set_num_threads(2)
def state():
    root = logging.getLogger()
    return (root.level, root.handlers[:], dict(os.environ), torch.get_num_threads(),
            random.getstate(), numpy.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
before = state()
backbones.load("tiny-emotion2vec")
assert state() == before
assert "funasr" not in sys.modules
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, ""), run.stderr
    assert "ffmpeg" not in run.stderr


def test_two_loads_give_the_same_network() -> None:
    assert load("tiny-emotion2vec").weights == load("tiny-emotion2vec").weights
