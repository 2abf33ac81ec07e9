"""Berlin EMO-DB: ten German sentences, acted by ten speakers in seven emotions.

Burkhardt et al. (2005), "A database of German emotional speech".
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.readers.audio_files import recordings
from harness.data.utterances import Corpus, Utterance, make_corpus
from harness.specs import CorpusSpec

EMOTIONS = {
    "W": "anger",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happiness",
    "T": "sadness",
    "N": "neutral",
}
SENTENCES = {
    "a01": "Der Lappen liegt auf dem Eisschrank.",
    "a02": "Das will sie am Mittwoch abgeben.",
    "a04": "Heute abend könnte ich es ihm sagen.",
    "a05": "Das schwarze Stück Papier befindet sich da oben neben dem Holzstück.",
    "a07": "In sieben Stunden wird es soweit sein.",
    "b01": "Was sind denn das für Tüten, die da unter dem Tisch stehen?",
    "b02": "Sie haben es gerade hochgetragen und jetzt gehen sie wieder runter.",
    "b03": "An den Wochenenden bin ich jetzt immer nach Hause gefahren und habe Agnes besucht.",
    "b09": "Ich will das eben wegbringen und dann mit Karl was trinken gehen.",
    "b10": "Die wird auf dem Platz sein, wo wir sie immer hinlegen.",
}

_NAME = re.compile(r"(?P<speaker>[0-9]{2})(?P<sentence>[ab][0-9]{2})(?P<emotion>[WLEAFTN])[a-z]?")


def read(root: Path, spec: CorpusSpec) -> Corpus:
    """List the recordings in `wav/` or directly in `root`.

    Raises:
        CorpusError: an audio file has a name that EMO-DB does not give.
    """
    found = recordings([root, root / "wav"], _NAME)
    return make_corpus(spec.name, (_utterance(path, match) for path, match in found))


def _utterance(path: Path, match: re.Match[str]) -> Utterance:
    return Utterance(
        utterance_id=path.stem,
        path=path,
        target=EMOTIONS[match["emotion"]],
        speaker=match["speaker"],
        text=SENTENCES.get(match["sentence"]),
        language="de",
    )
