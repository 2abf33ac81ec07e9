"""Where things that can be made again are kept between runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

CACHE_VARIABLE = "HARNESS_CACHE"


def cache_folder(name: str) -> Path:
    """A folder to write in: `$HARNESS_CACHE/<name>`, by default under `~/.cache/ser-harness`.

    On a machine where neither can be written it lies among the temporary files.
    """
    named = os.environ.get(CACHE_VARIABLE)
    usual = Path(named).expanduser() if named else Path.home() / ".cache" / "ser-harness"
    folder = usual / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a read-only home, as in a container: the temporary folder serves as well
    folder = Path(tempfile.gettempdir()) / f"ser-harness-{os.getuid()}" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder
