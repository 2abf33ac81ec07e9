import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from backbones import BackboneError
from backbones.hub.checkpoints import digest, fill, read, verify


def network() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4))


def tensors() -> dict[str, Tensor]:
    return {name: torch.randn_like(value) for name, value in network().state_dict().items()}


def same(name: str) -> str:
    return name


def empty() -> nn.Module:
    with torch.device("meta"):
        return network()


def test_a_checkpoint_in_half_precision_fills_a_network_bit_for_bit() -> None:
    stored = {name: value.half() for name, value in tensors().items()}
    module = empty()
    fill(module, stored, "here")
    for name, value in module.state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, stored[name].float())


def test_a_missing_tensor_is_named() -> None:
    stored = tensors()
    del stored["0.bias"]
    with pytest.raises(BackboneError, match=r"1 are missing \(0\.bias\)"):
        fill(empty(), stored, "here")


def test_another_shape_is_named() -> None:
    stored = tensors() | {"0.weight": torch.zeros(4, 5)}
    with pytest.raises(BackboneError, match=r"0\.weight \(4, 5\) where \(4, 3\) is needed"):
        fill(empty(), stored, "here")


def test_another_prefix_fails_with_the_names_that_are_missing() -> None:
    stored = {f"model.{name}": value for name, value in tensors().items()}
    with pytest.raises(BackboneError, match="of 4 tensors 4 are missing"):
        fill(empty(), stored, "here")


def test_a_tensor_that_kept_its_random_values_is_found() -> None:
    stored = tensors()
    module = empty()
    fill(module, stored, "here")
    nn.init.normal_(module[0].weight)
    with pytest.raises(BackboneError, match=r"0\.weight"):
        verify(module, stored, "here")


def test_a_buffer_that_no_checkpoint_holds_is_found() -> None:
    stored = tensors()
    module = empty()
    fill(module, stored, "here")
    module.register_buffer("table", torch.zeros(2), persistent=False)
    with pytest.raises(BackboneError, match="table"):
        verify(module, stored, "here")


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_a_tensor_that_holds_no_numbers_is_named_with_its_file(
    value: float, tmp_path: Path
) -> None:
    path = tmp_path / "model.safetensors"
    save_file(tensors() | {"0.bias": torch.tensor([0.0, value])}, path)
    with pytest.raises(BackboneError, match=rf"{path}: the tensor 0\.bias holds"):
        read(tmp_path, same)


def test_only_tensors_with_a_name_here_are_read(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1), "decoder.b": torch.ones(1)}, tmp_path / "model.safetensors")
    assert list(read(tmp_path, lambda name: "ours" if name == "a" else None)) == ["ours"]


def test_safetensors_are_preferred(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "model.safetensors")
    torch.save({"a": torch.zeros(1)}, tmp_path / "pytorch_model.bin")
    assert read(tmp_path, same)["a"] == 1


def test_a_checkpoint_in_parts_is_read_whole(tmp_path: Path) -> None:
    parts = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    for name, part in parts.items():
        save_file({name: torch.ones(1)}, tmp_path / part)
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": parts}))
    assert set(read(tmp_path, same)) == {"a", "b"}
    (tmp_path / "model-2.safetensors").unlink()
    assert read(tmp_path, same) == {}


@pytest.mark.parametrize("nest", ["model", "state_dict"])
def test_tensors_are_found_where_trainers_put_them(tmp_path: Path, nest: str) -> None:
    torch.save({nest: {"a": torch.ones(1)}, "epoch": 3}, tmp_path / "model.pt")
    assert list(read(tmp_path, same)) == ["a"]


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_file_cut_short_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".bin":
        torch.save({"a": torch.ones(1000)}, path)
    else:
        save_file({"a": torch.ones(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BackboneError, match=rf"{name} cannot be read.*fetch it again"):
        read(tmp_path, same)


class Malicious:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("/tmp/never-made-by-a-checkpoint"),))  # noqa: S108


@pytest.mark.parametrize("plain", [True, False])
def test_a_pickle_with_foreign_objects_is_refused(tmp_path: Path, plain: bool) -> None:
    path = tmp_path / "model.pt"
    if plain:
        path.write_bytes(pickle.dumps({"a": Malicious()}, protocol=2))
    else:
        torch.save({"a": Malicious()}, path)
    with pytest.raises(BackboneError, match=r"model\.pt holds other objects.*refused"):
        read(tmp_path, same)
    assert not Path("/tmp/never-made-by-a-checkpoint").exists()  # noqa: S108


def test_a_file_without_names_is_refused(tmp_path: Path) -> None:
    torch.save(torch.ones(1), tmp_path / "model.pt")
    with pytest.raises(BackboneError, match="no tensors by name"):
        read(tmp_path, same)


def test_two_spellings_of_one_name_in_a_file_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1), "A": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(BackboneError, match="claim a"):
        read(tmp_path, str.lower)


def test_two_tensors_for_one_name_are_refused(tmp_path: Path) -> None:
    save_file({"a": torch.ones(1)}, tmp_path / "one.safetensors")
    save_file({"a": torch.ones(1)}, tmp_path / "two.safetensors")
    index = {"weight_map": {"x": "one.safetensors", "y": "two.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BackboneError, match="claim a"):
        read(tmp_path, same)


def test_the_digest_tells_any_change_apart() -> None:
    module = network()
    first = digest(module)
    assert digest(module) == first
    with torch.no_grad():
        module[0].weight[0, 0] += 1e-6
    assert digest(module) != first
