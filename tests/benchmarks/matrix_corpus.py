"""Writes made-up speech in utterances of exactly 3 s, with a manifest that splits it by speaker.

python tests/benchmarks/matrix_corpus.py FOLDER --takes 12
"""

import argparse
import csv
from itertools import product
from pathlib import Path

import numpy as np
import soundfile

from harness.data.readers.synthetic import EMOTIONS, Signal, synthesise

SAMPLE_RATE_HZ = 16_000
SECONDS = 3
TAKES_JOINED = 4  # none is shorter than 0.8 s
SPEAKERS = {"train": ("s1", "s2", "s3", "s4"), "dev": ("s5", "s6"), "test": ("s7", "s8")}
COLUMNS = ("file", "label", "speaker", "split")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument(
        "--takes",
        type=int,
        default=12,
        help="of each train speaker in each of four emotions, and half as many of the others: "
        "12 give 192 train, 48 dev and 48 test utterances",
    )
    arguments = parser.parse_args()
    write_corpus(arguments.folder, arguments.takes)


def write_corpus(folder: Path, takes: int) -> None:
    """Sixteen utterances a take in train, four in dev and four in test, and `manifest.csv`."""
    folder.mkdir(parents=True)
    with (folder / "manifest.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for split, speakers in SPEAKERS.items():
            count = takes if split == "train" else takes // 2
            for speaker, label, take in product(speakers, EMOTIONS, range(count)):
                name = f"{speaker}_{label}_{take:04}.wav"
                sound = utterance(speaker, label, take)
                soundfile.write(folder / name, sound, SAMPLE_RATE_HZ, "PCM_16")
                rows.writerow((name, label, speaker, split))


def utterance(speaker: str, label: str, take: int) -> Signal:
    """Short takes of its own, joined and cut to length.

    Shape:
        - Output: `(48000,)`
    """
    first = take * TAKES_JOINED
    parts = [synthesise(speaker, label, first + part) for part in range(TAKES_JOINED)]
    joined: Signal = np.concatenate(parts)[: SECONDS * SAMPLE_RATE_HZ]
    assert len(joined) == SECONDS * SAMPLE_RATE_HZ
    return joined


if __name__ == "__main__":
    main()
