"""What must reach neither a log nor a record."""

from __future__ import annotations

import os
import re

_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
_LOGIN = re.compile(r"://\S+@")
_SHORTEST = 6
"""A shorter value is no secret, and may stand anywhere in a text."""


def is_named_as_secret(variable: str) -> bool:
    """Whether a variable's value is for nobody else.

    >>> is_named_as_secret("HF_TOKEN"), is_named_as_secret("HF_HOME")
    (True, False)
    """
    return _SECRET_NAME.search(variable) is not None


def redacted(text: str) -> str:
    """A text without logins in addresses, nor values of variables that are named as secrets.

    >>> redacted("cannot reach https://me:pass@example.org/runs")
    'cannot reach https://***@example.org/runs'
    """
    for name, value in os.environ.items():
        if is_named_as_secret(name) and len(value) >= _SHORTEST:
            text = text.replace(value, "***")
    return _LOGIN.sub("://***@", text)
