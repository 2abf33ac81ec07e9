"""Pins components anew, after their version was raised: give their names, or none for all."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))


def main(names: list[str]) -> None:
    from pins.pin import PINNED, pinned, plain
    from pins.table import PINS, prepared, versions

    values = pinned() if PINNED.exists() else {}
    for name in names or PINS:
        prepared()
        with tempfile.TemporaryDirectory() as folder:
            values[name] = {"version": versions()[name], "values": plain(PINS[name](Path(folder)))}
    PINNED.write_text(
        json.dumps(dict(sorted(values.items())), indent=None, separators=(",", ":")) + "\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
