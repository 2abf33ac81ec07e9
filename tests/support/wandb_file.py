"""Reads what W&B keeps of a run that is offline: messages in LevelDB's log format.

Source: https://github.com/google/leveldb/blob/main/doc/log_format.md. Seven bytes of W&B's own come
first.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

BLOCK = 32 * 1024
HEADER = struct.Struct("<IHB")  # checksum, length, kind
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
MARK = b":W&B"
MARK_LENGTH = 7


def read_run(path: Path) -> Iterator[Any]:
    """Everything that was told of a run, in order."""
    from wandb.proto.wandb_internal_pb2 import Record  # not everywhere installed

    data = path.read_bytes()
    assert data.startswith(MARK)
    place, parts = MARK_LENGTH, b""
    while place + HEADER.size <= len(data):
        if BLOCK - place % BLOCK < HEADER.size:  # the rest of a block is filled up
            place += BLOCK - place % BLOCK
            continue
        _, length, kind = HEADER.unpack_from(data, place)
        place += HEADER.size
        parts = (
            data[place : place + length]
            if kind in (FULL, FIRST)
            else parts + data[place : place + length]
        )
        place += length
        if kind in (FULL, LAST):
            record = Record()
            record.ParseFromString(parts)
            yield record
