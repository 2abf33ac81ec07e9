"""Checkpoints: read without running code from them, filled in wholly or not at all."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from backbones.cards import BackboneError
from backbones.hub.config_files import first_line
from backbones.hub.local_files import checkpoint_files

SHOWN = 5  # names listed in a message before "and N more"
OwnName = Callable[[str], str | None]
NESTS = ("state_dict", "model_state_dict", "model")  # keys under which trainers put the tensors


def read(folder: Path, own_name: OwnName) -> dict[str, Tensor]:
    """The tensors of a checkpoint for which `own_name` has a name, under that name.

    Raises:
        BackboneError: a file is damaged or holds more than tensors, a tensor holds no numbers,
            or two claim one name.
    """
    tensors: dict[str, Tensor] = {}
    for path in checkpoint_files(folder):
        with _readable(path):
            for name, tensor in _tensors(path, own_name):
                if name in tensors:
                    raise BackboneError(f"{path}: two tensors of the checkpoint claim {name}")
                if not tensor.isfinite().all():
                    raise BackboneError(
                        f"{path}: the tensor {name} holds values that are not numbers, the file "
                        "may be damaged: fetch it again"
                    )
                tensors[name] = tensor
    return tensors


def _tensors(path: Path, own_name: OwnName) -> Iterator[tuple[str, Tensor]]:
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - it is no mapping
                if ours := own_name(name):
                    yield ours, file.get_tensor(name)
        return
    for name, value in _named(path).items():
        if isinstance(value, Tensor) and (ours := own_name(name)):
            yield ours, value


def _named(path: Path) -> dict[str, Any]:
    content = torch.load(path, map_location="cpu", weights_only=True)
    for nest in NESTS:
        if isinstance(content, dict):
            content = content.get(nest, content)
    if not isinstance(content, dict):
        raise BackboneError(f"{path} holds no tensors by name")
    return content


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except pickle.UnpicklingError as error:
        raise BackboneError(
            f"{path} holds other objects than tensors, and loading those can run any code: "
            f"refused. Convert it to safetensors. ({first_line(error)})"
        ) from error
    except (SafetensorError, RuntimeError, EOFError, OSError) as error:
        raise BackboneError(
            f"{path} cannot be read, it may be cut short: fetch it again. ({first_line(error)})"
        ) from error


def fill(module: nn.Module, tensors: Mapping[str, Tensor], origin: str) -> None:
    """Give a module built on the meta device the tensors of a checkpoint, all of them.

    Raises:
        BackboneError: a tensor is missing or has another shape; the message lists them.
    """
    expected = module.state_dict()
    missing = [name for name in expected if name not in tensors]
    misshapen = [
        f"{name} {tuple(tensors[name].shape)} where {tuple(here.shape)} is needed"
        for name, here in expected.items()
        if name in tensors and tensors[name].shape != here.shape
    ]
    if missing or misshapen:
        raise BackboneError(
            f"{origin} does not fit: of {len(expected)} tensors "
            f"{len(missing)} are missing{_listed(missing)} and "
            f"{len(misshapen)} have another shape{_listed(misshapen)}"
        )
    module.to_empty(device="cpu")
    module.load_state_dict({name: tensors[name] for name in expected})
    verify(module, tensors, origin)


def verify(module: nn.Module, tensors: Mapping[str, Tensor], origin: str) -> None:
    """Compare every parameter and buffer of a module with a checkpoint, bit for bit.

    Raises:
        BackboneError: one differs or is not in the checkpoint.
    """
    different = [
        name
        for name, here in chain(module.named_parameters(), module.named_buffers())
        if name not in tensors or not torch.equal(here, tensors[name].to(here.dtype))
    ]
    if different:
        raise BackboneError(
            f"{origin}: {len(different)} tensors are not those of the checkpoint"
            f"{_listed(different)}"
        )


def digest(module: nn.Module) -> str:
    """SHA-256 over every tensor of a module: names, shapes, dtypes and bytes.

    >>> digest(nn.Identity())[:8]
    'e3b0c442'
    """
    summary = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        summary.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        summary.update(tensor.cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return summary.hexdigest()


def _listed(names: list[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f" ({', '.join(names[:SHOWN])}{more})"
