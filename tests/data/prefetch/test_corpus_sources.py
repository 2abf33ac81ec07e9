from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from harness.data.corpora import CORPORA
from harness.data.prefetch import corpus_sources
from harness.data.prefetch.corpus_sources import (
    CorpusSource,
    Fetched,
    prefetch_corpus,
    recordings_digest,
)
from harness.data.prefetch.http_download import RemoteFile
from harness.errors import UserError
from harness.specs import CorpusSpec

RAVDESS = CorpusSpec(name="ravdess")


def ravdess_names() -> Iterator[str]:
    """The 1,440 names of the published archive."""
    for actor, emotion, level, sentence, take in product(
        range(1, 25), range(1, 9), (1, 2), (1, 2), (1, 2)
    ):
        if not (emotion == 1 and level == 2):  # neutral has no strong intensity
            yield (
                f"Actor_{actor:02}/03-01-{emotion:02}-{level:02}-{sentence:02}-{take:02}"
                f"-{actor:02}.wav"
            )


def bundle(names: Iterator[str] | list[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return content.getvalue()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Any) -> Path:
    """An empty folder of corpora, and a site that serves RAVDESS and EMO-DB."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HARNESS_CORPORA", str(tmp_path))
    serve(site, "ravdess", bundle(ravdess_names()), monkeypatch)
    return tmp_path


def serve(site: Any, name: str, content: bytes, patch: pytest.MonkeyPatch, **known: Any) -> None:
    site.files[f"{name}.zip"] = content
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    remote = RemoteFile(site.url(f"{name}.zip"), len(content), md5)
    patch.setitem(corpus_sources.SOURCES, name, CorpusSource(remote, **known))


def test_every_corpus_that_can_be_fetched_has_a_source() -> None:
    assert set(corpus_sources.SOURCES) == {name for name, card in CORPORA.items() if card.fetchable}


def test_a_corpus_is_fetched_once_and_then_found(home: Path, site: Any) -> None:
    notes: list[str] = []
    fetched = prefetch_corpus(RAVDESS, note=notes.append)
    assert fetched == Fetched("ravdess", home / "ravdess", was_there=False)
    assert len(list((home / "ravdess").glob("Actor_*/*.wav"))) == 1440
    assert [path.name for path in home.iterdir()] == ["ravdess"]
    assert any("fetching" in note for note in notes)
    again = prefetch_corpus(RAVDESS)
    assert again.was_there
    assert "found at" in again.line()
    assert len(site.asked) == 1


def test_half_a_corpus_makes_way_for_the_whole_but_is_not_lost(home: Path) -> None:
    (home / "ravdess").mkdir()
    (home / "ravdess" / "03-01-01-01-01-01-01.wav").write_text("mine")
    notes: list[str] = []
    assert not prefetch_corpus(RAVDESS, note=notes.append).was_there
    aside = home / "ravdess.incomplete-1" / "03-01-01-01-01-01-01.wav"
    assert aside.read_text() == "mine"
    assert any("incomplete" in note for note in notes)


def test_an_archive_with_too_few_recordings_is_refused(
    home: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(site, "ravdess", bundle(list(ravdess_names())[:9]), monkeypatch)
    with pytest.raises(UserError, match="holds 9 recordings instead of 1440"):
        prefetch_corpus(RAVDESS)
    assert list(home.iterdir()) == []


def test_an_archive_that_is_damaged_is_not_kept(
    home: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(site, "ravdess", b"<html>come back later</html>", monkeypatch)
    with pytest.raises(UserError, match="is damaged"):
        prefetch_corpus(RAVDESS)
    assert list(home.iterdir()) == []


def emodb_names() -> list[str]:
    return [
        f"wav/{n:02}a01{'WLEAFTN'[n % 7]}{chr(97 + m)}.wav" for n in range(3, 99) for m in range(6)
    ]


def test_recordings_other_than_the_published_ones_are_refused(
    home: Path, site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bundle(emodb_names()[:535])
    serve(site, "emodb", content, monkeypatch, recordings_sha256="0000")
    with pytest.raises(UserError, match="not those that were published"):
        prefetch_corpus(CorpusSpec(name="emodb"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(home / "elsewhere")
    digest = recordings_digest(home / "elsewhere")
    serve(site, "emodb", content, monkeypatch, recordings_sha256=digest)
    assert prefetch_corpus(CorpusSpec(name="emodb")).path == home / "emodb"


def test_the_digest_is_that_of_sha256sum(tmp_path: Path) -> None:
    for name in ("b.wav", "a.wav"):
        (tmp_path / name).write_text(name)
    listed = subprocess.run(
        ["sha256sum", "a.wav", "b.wav"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    assert recordings_digest(tmp_path) == hashlib.sha256(listed).hexdigest()


def test_without_a_network_the_error_says_what_to_do(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.data.prefetch.http_download.time.sleep", lambda seconds: None)
    monkeypatch.setitem(
        corpus_sources.SOURCES,
        "ravdess",
        CorpusSource(RemoteFile("http://127.0.0.1:9/ravdess.zip")),
    )
    with pytest.raises(UserError) as caught:
        prefetch_corpus(RAVDESS)
    assert "fetch http://127.0.0.1:9/ravdess.zip elsewhere" in str(caught.value)
    assert "$HARNESS_CORPORA/ravdess" in str(caught.value)


def test_offline_means_that_nothing_is_asked(home: Path, site: Any) -> None:
    with pytest.raises(UserError, match="not fetched while offline"):
        prefetch_corpus(RAVDESS, offline=True)
    assert site.asked == []


def test_a_corpus_without_an_address_is_told(home: Path) -> None:
    with pytest.raises(UserError, match="no public address"):
        prefetch_corpus(CorpusSpec(name="mine", kind="manifest"))
    (home / "mine").mkdir()
    assert prefetch_corpus(CorpusSpec(name="mine", kind="manifest")).was_there


def test_a_made_up_corpus_needs_no_files() -> None:
    assert prefetch_corpus(CorpusSpec(name="synthetic")).line() == "synthetic: needs no files"


def test_nowhere_to_put_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HARNESS_CORPORA", raising=False)
    with pytest.raises(UserError, match=r"set \$HARNESS_CORPORA"):
        prefetch_corpus(RAVDESS)


def test_the_real_corpus_is_found(ravdess_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CORPORA", str(ravdess_root.parent))
    assert prefetch_corpus(RAVDESS, offline=True).path == ravdess_root
