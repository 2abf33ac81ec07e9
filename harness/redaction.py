"""What must reach neither a log nor a record."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"://\S+@")
_SHORTEST = 6
"""A shorter value is no secret, and may stand anywhere in a text."""


def redacted(text: str) -> str:
    """A text without logins in addresses, nor values of variables that are named as secrets.

    >>> redacted("cannot reach https://me:pass@example.org/runs")
    'cannot reach https://***@example.org/runs'
    """
    for name, value in os.environ.items():
        if _SECRET_NAME.search(name) and len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return _LOGIN.sub("://***@", text)
