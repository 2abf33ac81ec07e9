from __future__ import annotations

import hashlib
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data.prefetch.http_download import RemoteFile, download
from harness.errors import UserError

BODY = np.random.default_rng(0).bytes(1_000_000)
MD5 = hashlib.md5(BODY, usedforsecurity=False).hexdigest()
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def remote(site: Any, **known: Any) -> RemoteFile:
    site.files["corpus.zip"] = BODY
    return RemoteFile(site.url("corpus.zip"), **known)


def fetch(what: RemoteFile, target: Path, **options: Any) -> Path:
    return download(what, target, **{"pause_s": 0.01, "timeout_s": (2.0, 2.0), **options})


def test_a_file_arrives_whole_and_leaves_nothing_beside_it(site: Any, tmp_path: Path) -> None:
    target = tmp_path / "new" / "corpus.zip"
    fetch(remote(site, size_bytes=len(BODY), md5=MD5, sha256=SHA256), target)
    assert target.read_bytes() == BODY
    assert list(target.parent.iterdir()) == [target]


def test_progress_counts_the_bytes_up_to_the_whole(site: Any, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    fetch(
        remote(site),
        tmp_path / "corpus.zip",
        progress=lambda have, whole: told.append((have, whole)),
    )
    assert told[-1] == (len(BODY), len(BODY))
    assert told == sorted(told)


def test_what_lies_there_whole_is_not_fetched_again(site: Any, tmp_path: Path) -> None:
    target = tmp_path / "corpus.zip"
    target.write_bytes(BODY)
    fetch(remote(site, md5=MD5), target)
    assert site.asked == []
    target.write_bytes(BODY[:-1])
    fetch(remote(site, md5=MD5), target)
    assert target.read_bytes() == BODY


def test_a_broken_connection_goes_on_where_it_broke_off(site: Any, tmp_path: Path) -> None:
    site.break_after = [400_000, 100_000]
    fetch(remote(site, md5=MD5), tmp_path / "corpus.zip")
    assert (tmp_path / "corpus.zip").read_bytes() == BODY
    assert len(site.asked) == 3
    assert site.asked[0] is None
    starts = [int(str(asked).removeprefix("bytes=").removesuffix("-")) for asked in site.asked[1:]]
    assert 0 < starts[0] <= 400_000
    assert starts[0] < starts[1] <= 500_000


def test_a_later_call_goes_on_from_an_earlier_one(site: Any, tmp_path: Path) -> None:
    site.break_after = [600_000]
    with pytest.raises(UserError, match="the next call goes on from there"):
        fetch(remote(site, md5=MD5), tmp_path / "corpus.zip", attempts=1)
    assert not (tmp_path / "corpus.zip").exists()
    fetch(remote(site, md5=MD5), tmp_path / "corpus.zip", attempts=1)
    assert str(site.asked[1]).startswith("bytes=")
    assert (tmp_path / "corpus.zip").read_bytes() == BODY


def test_a_server_without_ranges_is_asked_from_the_start(site: Any, tmp_path: Path) -> None:
    site.ranges, site.break_after = False, [400_000]
    fetch(remote(site, md5=MD5), tmp_path / "corpus.zip")
    assert (tmp_path / "corpus.zip").read_bytes() == BODY


def test_two_versions_are_never_joined(site: Any, tmp_path: Path) -> None:
    what = remote(site)
    site.files["corpus.zip"], site.break_after = bytes(1_000_000), [400_000]
    with pytest.raises(UserError):
        fetch(what, tmp_path / "corpus.zip", attempts=1)
    site.files["corpus.zip"], site.etag = BODY, '"v2"'
    fetch(what, tmp_path / "corpus.zip", attempts=1)
    assert (tmp_path / "corpus.zip").read_bytes() == BODY


def test_a_wrong_beginning_is_found_by_its_checksum_and_fetched_anew(
    site: Any, tmp_path: Path
) -> None:
    site.etag = None
    (tmp_path / "corpus.zip.part").write_bytes(bytes(300_000))
    fetch(remote(site, sha256=SHA256), tmp_path / "corpus.zip")
    assert site.asked == ["bytes=300000-", None]
    assert (tmp_path / "corpus.zip").read_bytes() == BODY


@pytest.mark.parametrize("length", [1_000_000, 1_000_001])
def test_a_part_with_nothing_left_to_fetch_is_checked(
    site: Any, tmp_path: Path, length: int
) -> None:
    (tmp_path / "corpus.zip.part").write_bytes((BODY + b"x")[:length])
    fetch(remote(site, size_bytes=len(BODY), md5=MD5), tmp_path / "corpus.zip")
    assert (tmp_path / "corpus.zip").read_bytes() == BODY


def test_another_file_than_the_expected_one_is_refused_and_not_kept(
    site: Any, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=f"md5 {MD5} instead of 0000"):
        fetch(remote(site, md5="0000"), tmp_path / "corpus.zip")
    with pytest.raises(UserError, match="1000000 bytes instead of 5"):
        fetch(remote(site, size_bytes=5), tmp_path / "corpus.zip")
    assert list(tmp_path.iterdir()) == []
    assert len(site.asked) == 2


def test_a_file_that_is_not_there_is_told_at_once(site: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.zip: the server answers HTTP 404"):
        fetch(RemoteFile(site.url("gone.zip")), tmp_path / "gone.zip")
    assert len(site.asked) == 1


def test_a_server_that_is_busy_is_asked_again(site: Any, tmp_path: Path) -> None:
    site.statuses = [503, 429]
    fetch(remote(site, md5=MD5), tmp_path / "corpus.zip")
    assert len(site.asked) == 3


def test_a_server_that_stays_busy_is_told_with_its_last_word(site: Any, tmp_path: Path) -> None:
    site.statuses = [500, 503]
    with pytest.raises(UserError, match="2 attempts failed, the last: HTTP 503"):
        fetch(remote(site), tmp_path / "corpus.zip", attempts=2)


def test_a_server_that_cannot_be_reached_is_told(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/corpus.zip"
        with pytest.raises(UserError, match=r"2 attempts failed, the last: no connection\.$"):
            fetch(RemoteFile(url), tmp_path / "corpus.zip", attempts=2)


def test_a_folder_that_cannot_be_made_is_told(site: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be made"):
        fetch(remote(site), tmp_path / "file" / "corpus.zip")
