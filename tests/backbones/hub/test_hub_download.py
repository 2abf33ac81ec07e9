"""Fetching, against small stand-ins for both hubs on this machine."""

import hashlib
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from backbones import BackboneError, fetch, load, locate
from backbones.hub.hub_download import fetch_config
from backbones.hub.local_files import checkpoint_files

COMMIT = "0123456789abcdef0123456789abcdef01234567"
WHISPER = {"config.json": b"{}", "model.safetensors": b"tensors", "README.md": b"not wanted"}
EMOTION2VEC = {"config.yaml": b"{}", "model.pt": b"tensors", "README.md": b"not wanted"}


class Hub(BaseHTTPRequestHandler):
    """Answers what the clients of Hugging Face and ModelScope ask of a repository's files."""

    files = WHISPER
    asked: list[str] = []  # noqa: RUF012 - one server at a time

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        url = urlsplit(self.path)
        content = json.dumps(self.about(url.path)).encode()
        if "/resolve/" in url.path:
            content = self.files[url.path.rpartition("/")[2]]
        elif "FilePath" in url.query:
            content = self.files[parse_qs(url.query)["FilePath"][0]]
        self.asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.end_headers()
        if body:
            self.wfile.write(content)

    def about(self, path: str) -> object:
        if path.endswith("/repo/files"):  # ModelScope's listing
            listing = [
                {"Path": name, "Name": name, "Type": "blob", "Size": len(content)}
                for name, content in self.files.items()
            ]
            return {"Code": 200, "Success": True, "Data": {"Files": listing}}
        if "/tree/" in path:  # Hugging Face's
            return [
                {"type": "file", "path": name, "size": len(content), "oid": "0" * 40}
                for name, content in self.files.items()
            ]
        siblings = [{"rfilename": name} for name in self.files]
        return {"id": "any/repository", "sha": COMMIT, "siblings": siblings}

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def server() -> Iterator[str]:
    Hub.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as http:
        Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.fixture
def hugging_face(server: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_ENDPOINT", server)
    return server


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_is_needed_is_fetched_and_nothing_else(hugging_face: str) -> None:
    found = fetch("openai/whisper-base")
    assert (found.found_in, found.revision) == ("the Hugging Face cache", COMMIT)
    assert names(found.folder) == {"config.json", "model.safetensors"}
    assert not any("README" in path for path in Hub.asked)


def test_what_is_already_here_is_not_fetched_again(hugging_face: str) -> None:
    first = fetch("whisper-base")
    Hub.asked.clear()
    assert fetch("whisper-base") == first == locate("whisper-base")
    assert Hub.asked == []


def test_a_repository_without_weights_is_said(
    hugging_face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "files", {"config.json": b"{}"})
    with pytest.raises(BackboneError, match="holds no weights"):
        fetch("whisper-base")


def test_emotion2vec_is_fetched_from_modelscope(
    server: str, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "files", EMOTION2VEC)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", server)
    found = fetch("iic/emotion2vec_plus_base")
    assert found.found_in == "the ModelScope cache"
    assert names(found.folder) == {"config.yaml", "model.pt"}


def test_emotion2vec_is_fetched_from_hugging_face_where_modelscope_is_out_of_reach(
    hugging_face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "files", EMOTION2VEC)
    found = fetch("emotion2vec_plus_base")
    assert found.found_in == "the Hugging Face cache"
    assert names(found.folder) == {"config.yaml", "model.pt"}


def test_a_checkpoint_that_is_called_as_its_backbone_is_fetched_too(
    hugging_face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"config.yaml": b"{}", "emotion2vec_base.pt": b"tensors", "logo.png": b"not wanted"}
    monkeypatch.setattr(Hub, "files", files)
    found = fetch("emotion2vec_base")
    assert names(found.folder) == {"config.yaml", "emotion2vec_base.pt"}
    assert checkpoint_files(found.folder) == [found.folder / "emotion2vec_base.pt"]


@pytest.mark.parametrize("name", ["wavlm-base", "emotion2vec_plus_base"])
def test_a_hub_out_of_reach_is_said_at_once(nowhere: Path, name: str) -> None:
    start = time.monotonic()
    with pytest.raises(BackboneError) as caught:
        fetch(name)
    assert time.monotonic() - start < 10
    message = str(caught.value)
    assert "refused" in message.lower()
    assert f"python -m harness prefetch --backbone {name}" in message
    assert "Hugging Face: " in message


@pytest.mark.parametrize("name", ["wavlm-base", "whisper-base", "emotion2vec_plus_base"])
def test_offline_missing_weights_are_an_error_within_two_seconds(nowhere: Path, name: str) -> None:
    load("logmel")  # torch is imported by now in any real run
    start = time.monotonic()
    with pytest.raises(BackboneError) as caught:
        load(name, offline=True)
    assert time.monotonic() - start < 2
    message = str(caught.value)
    for part in (name, "$HARNESS_MODELS", str(nowhere), "harness prefetch --backbone"):
        assert part in message


def test_hugging_faces_own_offline_switch_is_honoured(
    hugging_face: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE is set"):
        load("whisper-base")
    assert Hub.asked == []


@pytest.mark.parametrize("name", ["logmel", "tiny-wavlm"])
def test_there_is_nothing_to_fetch_of_a_network_without_weights(name: str) -> None:
    with pytest.raises(BackboneError, match="no weights to fetch"):
        fetch(name)


def test_offline_no_hub_is_asked(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BackboneError, match="HF_HUB_OFFLINE"):
        fetch_config("org/mine", "config.json")
