"""Imports and builds FunASR's network, so that nothing it does to the process stays.

Importing `funasr` loads some 3,300 modules, turns the root logger to INFO with a handler of its
own, sets environment variables and advances Python's random numbers. The one module needed here
does not need the rest.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.util import find_spec, module_from_spec
from typing import Any

import torch

from backbones.cards import BackboneError
from backbones.randomness import random_numbers_kept

CLASS_AT = ("funasr.models.emotion2vec.model", "Emotion2vec")


@contextmanager
def process_state_kept() -> Iterator[None]:
    """Leave logging, environment, random numbers, threads, warnings and output as they were."""
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for keeper in (_environment, _root_logger, random_numbers_kept, _threads, _submodules):
            stack.enter_context(keeper())
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(redirect_stderr(io.StringIO()))
        yield


def emotion2vec_class() -> Any:
    """FunASR's Emotion2vec, imported without the rest of FunASR.

    Call it, and what it returns, inside `process_state_kept`.

    Raises:
        BackboneError: FunASR is not installed, or its module does not load.
    """
    module, name = CLASS_AT
    try:
        if "funasr" not in sys.modules:
            sys.modules["funasr"] = _unexecuted_package("funasr")
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise BackboneError(
            f"emotion2vec needs FunASR: looked for the class {name} in {module}, and got: "
            f"{error}. Install it with: pip install funasr"
        ) from error


def _unexecuted_package(name: str) -> Any:
    """A package whose submodules can be imported while its own __init__ never runs."""
    spec = find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named '{name}'")
    return module_from_spec(spec)


@contextmanager
def _submodules() -> Iterator[None]:
    """Forget what was imported of FunASR, so that a later `import funasr` gets all of it."""
    before = set(sys.modules)
    try:
        yield
    finally:
        for name in set(sys.modules) - before:
            if name.partition(".")[0] == "funasr":
                del sys.modules[name]


@contextmanager
def _environment() -> Iterator[None]:
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _root_logger() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@contextmanager
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
