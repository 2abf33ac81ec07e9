"""RAVDESS: the Ryerson Audio-Visual Database of Emotional Speech and Song, its speech part.

Livingstone and Russo (2018), https://doi.org/10.5281/zenodo.1188976. Two sentences, spoken by
24 actors in eight emotions; EmoBox (Ma et al. 2024) publishes six speaker-disjoint folds.
"""

from __future__ import annotations

import re
from pathlib import Path

from harness.data.readers.audio_files import recordings
from harness.data.utterances import Corpus, Splits, Utterance, make_corpus
from harness.specs import CorpusSpec

EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fearful",
    "07": "disgust",
    "08": "surprised",
}
SENTENCES = {"01": "Kids are talking by the door", "02": "Dogs are sitting by the door"}
EMOBOX_TEST_ACTORS = {
    1: ("01", "11", "20", "21"),
    2: ("04", "10", "12", "14"),
    3: ("08", "09", "19", "23"),
    4: ("03", "05", "07", "24"),
    5: ("02", "15", "16", "18"),
    6: ("06", "13", "17", "22"),
}

_NAME = re.compile(
    r"(?P<modality>0[1-3])-(?P<channel>0[12])-(?P<emotion>0[1-8])-(?P<intensity>0[12])"
    r"-(?P<sentence>0[12])-(?P<repetition>0[12])-(?P<actor>[0-9]{2})"
)
_SPEECH = "01"


def read(root: Path, spec: CorpusSpec) -> Corpus:
    """List the speech recordings in `Actor_NN/` or directly in `root`; songs are passed over.

    Raises:
        CorpusError: an audio file has a name that RAVDESS does not give.
    """
    found = recordings([root, *sorted(root.glob("Actor_*"))], _NAME)
    utterances = [_utterance(path, match) for path, match in found if match["channel"] == _SPEECH]
    return make_corpus(spec.name, utterances, {"emobox": _emobox_folds(utterances)})


def _utterance(path: Path, match: re.Match[str]) -> Utterance:
    return Utterance(
        utterance_id=path.stem,
        path=path,
        target=EMOTIONS[match["emotion"]],
        speaker=match["actor"],
        text=SENTENCES[match["sentence"]],
        language="en",
    )


def _emobox_folds(utterances: list[Utterance]) -> dict[int, Splits]:
    speaker_of = {u.utterance_id: u.speaker for u in utterances}
    ids = sorted(speaker_of)
    return {
        fold: Splits(
            train=tuple(name for name in ids if speaker_of[name] not in actors),
            dev=(),
            test=tuple(name for name in ids if speaker_of[name] in actors),
        )
        for fold, actors in EMOBOX_TEST_ACTORS.items()
    }
