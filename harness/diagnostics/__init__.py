"""What this machine can measure, and whether the backbones on it are whole."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """The outcome of one check of a backbone, or of a component of this machine."""

    subject: str
    name: str
    detail: str
    """What was measured, or what is wrong and what to do."""
    ok: bool | None = True
    """None where nothing is broken, but something cannot be measured or is slow."""

    def line(self) -> str:
        """For a terminal or a log.

        >>> Check("whisper-base", "exact padding", "largest difference 2.1e-06").line()
        'whisper-base: exact padding: ok: largest difference 2.1e-06'
        """
        state = {True: "ok", False: "FAILED", None: "note"}[self.ok]
        return f"{self.subject}: {self.name}: {state}: {self.detail}"
