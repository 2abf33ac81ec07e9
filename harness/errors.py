"""Every error the harness raises on purpose.

    HarnessError              one clear message: what was found, where, what to do
    ├── UserError             the user's mistake or machine: exit code 2
    │   ├── SuiteError        a suite that cannot be understood (all its mistakes at once)
    │   ├── CorpusError       recordings missing, unreadable, unlabelled or leaking
    │   ├── DiskSpaceError       no disk left for kept frames
    │   └── ResultsError      a results folder that is missing, broken or cannot be written
    └── TrialError            work that was started and failed: exit code 1
        └── TrialTimeout      a trial passed its time limit

`backbones.BackboneError` stands outside the tree, since `backbones` imports nothing from here;
the command line treats it as a user error.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HarnessError(Exception):
    """Base of all errors raised on purpose; `str()` is the whole message for the user."""


class UserError(HarnessError):
    """Something only the user can mend."""


class SuiteError(UserError):
    """A suite file that cannot be understood."""


class CorpusError(UserError):
    """Recordings or labels that are missing, unreadable or unfit for the protocol."""


class DiskSpaceError(UserError):
    """No disk is left, or allowed, for the frames that are to be kept."""


class ResultsError(UserError):
    """A results folder that is missing, broken or cannot be written."""


class TrialError(HarnessError):
    """Work that was started and failed."""


class TrialTimeout(TrialError):
    """A trial passed its time limit."""


def choices(found: str, allowed: Iterable[str]) -> str:
    """Say what is allowed and, if one is close, what was probably meant.

    >>> choices("wavlm-bas", ["wavlm-base", "tiny-wavlm"])
    "did you mean 'wavlm-base'? (allowed: wavlm-base, tiny-wavlm)"
    """
    names = list(allowed)
    near = get_close_matches(found, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}(allowed: {', '.join(names)})"
