"""The commits that cards name, by repository of the Hugging Face hub. No torch here.

Each was seen in full beside its repository's name: on the repository's own pages, or in public
code that pins it. microsoft/unispeech-sat-large is missing, since its last commit was seen cut
short only, and the one before has another config.
"""

from __future__ import annotations

REVISIONS = {
    "microsoft/wavlm-base": "efa81aae7ff777e464159e0f877d54eac5b84f81",
    "microsoft/wavlm-base-plus": "4c66d4806a428f2e922ccfa1a962776e232d487b",
    "microsoft/wavlm-large": "c1423ed94bb01d80a3f5ce5bc39f6026a0f4828c",
    "facebook/hubert-base-ls960": "dba3bb02fda4248b6e082697eee756de8fe8aa8a",
    "facebook/hubert-large-ll60k": "ff022d095678a2995f3c49bab18a96a9e553f782",
    "facebook/wav2vec2-base": "0b5b8e868dd84f03fd87d01f9c4ff0f080fecfe8",
    "facebook/wav2vec2-large-lv60": "1f3eef2bbbac0a61cae0cf882fd615fc960a062f",
    "facebook/wav2vec2-xls-r-300m": "1a640f32ac3e39899438a2931f9924c02f080a54",
    "facebook/data2vec-audio-base": "4b2131db71a8ede24cb2abebe38e910939eafc59",
    "facebook/data2vec-audio-large": "8aebfda61f5749e532f5577d176072ea38a6b349",
    "microsoft/unispeech-sat-base": "ca010627e5d232d9179ebdcd615eaa02cea382ed",
    "openai/whisper-tiny": "169d4a4341b33bc18d8881c4b69c2e104e1cc0af",
    "openai/whisper-base": "e37978b90ca9030d5170a5c07aadb050351a65bb",
    "openai/whisper-small": "973afd24965f72e36ca33b3055d56a652f456b4d",
    "openai/whisper-medium": "abdf7c39ab9d0397620ccaea8974cc764cd0953e",
    "openai/whisper-large-v3": "06f233fe06e710322aca913c1bc4249a0d71fce1",
    "facebook/w2v-bert-2.0": "da985ba0987f70aaeb84a80f2851cfac8c697a7b",
}
