"""The check that what is to be learned or scored has something to be learned."""

from __future__ import annotations

from collections.abc import Iterable

from harness.data.readers.audio_files import shortened
from harness.data.utterances import Utterance
from harness.errors import CorpusError


def require_targets(utterances: Iterable[Utterance], where: str) -> None:
    """Refuse utterances without a target.

    Raises:
        CorpusError: names them, and `where` they are.
    """
    without = [u.utterance_id for u in utterances if u.target is None]
    if without:
        raise CorpusError(
            f"{where}: {len(without)} utterances have no target, so they can be neither learned "
            f"nor scored: {shortened(without)}"
        )
