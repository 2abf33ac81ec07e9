"""What a worker takes of a cluster."""

import pytest

from harness.errors import UserError
from harness.runs.ray_cluster import Share, joined_cluster, share_of
from harness.runs.runtime_options import RuntimeOptions

GPU_NODES = [{"CPU": 16.0, "GPU": 4.0}, {"CPU": 16.0, "GPU": 2.0}, {"CPU": 8.0}]
CPU_NODES = [{"CPU": 16.0}, {"CPU": 8.0}, {}]


@pytest.mark.parametrize(
    ("nodes", "options", "share"),
    [
        (GPU_NODES, RuntimeOptions(), Share(4, 1.0, 6, 16)),
        (GPU_NODES, RuntimeOptions(jobs=2), Share(2, 0.5, 12, 16)),
        (GPU_NODES, RuntimeOptions(jobs=None), Share(1, 0.25, 24, 16)),
        (GPU_NODES, RuntimeOptions(threads=8), Share(8, 1.0, 4, 16)),
        (GPU_NODES, RuntimeOptions("cpu"), Share(8, 0.0, 3, 8)),
        (CPU_NODES, RuntimeOptions(), Share(8, 0.0, 2, 8)),
        (CPU_NODES, RuntimeOptions(threads=2), Share(2, 0.0, 2, 8)),
        (CPU_NODES, RuntimeOptions(jobs=None), Share(1, 0.0, 24, 8)),
        (CPU_NODES, RuntimeOptions(jobs=None, threads=4), Share(4, 0.0, 6, 8)),
    ],
)
def test_a_worker_has_a_device_and_its_share_of_the_cores(
    nodes: list[dict[str, float]], options: RuntimeOptions, share: Share
) -> None:
    assert share_of(nodes, options) == share
    assert share.device == ("cuda:0" if share.gpus else "cpu")


@pytest.mark.parametrize(
    ("nodes", "options", "told"),
    [
        (CPU_NODES, RuntimeOptions("cuda"), "no node of the cluster has a GPU"),
        (CPU_NODES, RuntimeOptions("cuda:1"), "Ray gives out GPUs"),
        (CPU_NODES, RuntimeOptions(threads=32), "has 32 CPUs for a worker"),
        ([{}], RuntimeOptions(), "no node of the cluster has a CPU"),
    ],
)
def test_what_a_cluster_has_no_room_for_is_told(
    nodes: list[dict[str, float]], options: RuntimeOptions, told: str
) -> None:
    with pytest.raises(UserError, match=told):
        share_of(nodes, options)


def test_an_address_without_a_cluster_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with (
        pytest.raises(UserError, match=r"no cluster at RAY_ADDRESS=127\.0\.0\.1:1 "),
        joined_cluster(),
    ):
        pass
