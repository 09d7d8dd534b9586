"""Builds a Whisper model of random weights, in CTranslate2's format: real code runs, and what it hears is nonsense.

It has the vocabulary's size and order of the real multilingual ones, by which CTranslate2 knows what it is:
https://github.com/openai/whisper/blob/main/whisper/tokenizer.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ctranslate2.specs.model_spec
import numpy
from ctranslate2.specs import WhisperSpec
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WORDS = ["sanje", "morje", "hiša", "sova", "stopnice", "vlak", "svetilnik", "dream", "sea", "owl", "stairs", "key"]
"""All that it ever hears."""

_SIZE, _HEADS, _MELS = 32, 2, 80
_END, _ALL = 50257, 51865
_LANGUAGES = [f"<|{code}|>" for code in ("en", "sl", "de", "hr", "it", "fr", "es", "sr")]
_SPECIAL = ["<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]

# Where a text ends, counted with the words that it was told to expect; and how likely is what it never says.
_LENGTH, _NEVER = 36, -40.0

# How it tells the time: how many numbers, how long a word takes, and how many tokens come before the first one.
_FEATURES, _WORD_SECONDS, _PROMPT = 12, 0.6, 3

_SHAPES = {
    "conv1/weight": (_SIZE, _MELS, 3),
    "conv2/weight": (_SIZE, _SIZE, 3),
    "encoder/position_encodings/encodings": (1500, _SIZE),
    "decoder/position_encodings/encodings": (448, _SIZE),
    "self_attention/linear_0/weight": (3 * _SIZE, _SIZE),
    "/attention/linear_1/weight": (2 * _SIZE, _SIZE),
    "ffn/linear_0/weight": (4 * _SIZE, _SIZE),
    "ffn/linear_1/weight": (_SIZE, 4 * _SIZE),
    "embeddings/weight": (_ALL, _SIZE),
    "projection/weight": (_ALL, _SIZE),
}

_SPREADS = {
    "decoder/projection": 2.0,
    "decoder/layer_0/attention": 0.2,
    "decoder/embeddings": 0.5,
    "decoder/position_encodings": 3.0,  # each place has a word of its own
}


def build(folder: Path) -> Path:
    """Writes the model into a new folder, the same every time."""
    folder.mkdir(parents=True)
    tokens = _tokens()
    ids = {token: number for number, token in enumerate(tokens)}
    spec: Any = WhisperSpec(1, _HEADS, 1, _HEADS)
    _fill(spec)
    said = [ids[f"Ġ{_in_bytes(word)}"] for word in WORDS]
    _steer(spec.decoder, said)
    _align(spec)
    spec.register_vocabulary(tokens)
    spec.config.lang_ids = [ids[language] for language in _LANGUAGES]
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [_END]
    spec.config.alignment_heads = [(0, 0)]
    spec.validate()
    spec.optimize("int8")
    spec.save(str(folder))
    _tokenizer(ids).save(str(folder / "tokenizer.json"))
    return folder


def _fill(spec: Any) -> None:
    dice = numpy.random.default_rng(5)

    def fill(layer: Any, name: str, value: object) -> None:
        shape = next((shape for end, shape in _SHAPES.items() if name.endswith(end)), (_SIZE, _SIZE))
        attribute = name.rpartition("/")[2]
        if attribute in ("weight", "encodings"):
            # Where it looks is steered, so what comes before that shall be small; what comes behind it is the text.
            spread = next((spread for start, spread in _SPREADS.items() if name.startswith(start)), 0.05)
            setattr(layer, attribute, dice.normal(0, spread, shape).astype(numpy.float32))
        elif attribute in ("gamma", "beta"):
            setattr(layer, attribute, numpy.full(_SIZE, attribute == "gamma", numpy.float32))
        elif attribute == "bias" and "conv" in name:
            setattr(layer, attribute, numpy.zeros(_SIZE, numpy.float32))

    ctranslate2.specs.model_spec.visit_spec(spec, fill)


def _steer(decoder: Any, said: list[int]) -> None:
    """Let it say nothing but these words, then end: by one number of each place that only the end listens to."""
    decoder.embeddings.weight[:, 0] = 0
    decoder.projection.weight[:, 0] = 0
    decoder.projection.weight[_END] = 0
    decoder.projection.weight[_END, 0] = 15
    decoder.position_encodings.encodings[:, 0] = 0
    decoder.position_encodings.encodings[_LENGTH:, 0] = 100
    decoder.projection.bias = numpy.full(_ALL, _NEVER, numpy.float32)
    decoder.projection.bias[said] = 0
    decoder.projection.bias[_END] = -15


def _align(spec: Any) -> None:
    """Let its first head look at the moment at which a word is said if each takes as long as the others."""
    places = slice(2, 2 + _FEATURES)
    spec.encoder.position_encodings.encodings[:, places] = _features(numpy.arange(1500) / 1500)
    spec.decoder.position_encodings.encodings[:, places] = _features((numpy.arange(448) - _PROMPT) * _WORD_SECONDS / 30)
    spec.decoder.projection.weight[:, places] = 0
    look = numpy.zeros((_SIZE, _SIZE), numpy.float32)
    look[places, places] = numpy.eye(_FEATURES)
    attention = spec.decoder.layer[0].attention
    attention.linear[0].weight = look * 4
    attention.linear[1].weight[:_SIZE] = look * 4


def _features(shares: Any) -> Any:
    """Numbers that are alike for shares that are near to each other."""
    turns = numpy.pi * numpy.outer(shares, numpy.arange(1, _FEATURES // 2 + 1))
    return 4 * numpy.concatenate([numpy.cos(turns), numpy.sin(turns)], axis=1).astype(numpy.float32)


def _tokens() -> list[str]:
    """The tokens in their order: bytes, words, something to fill up, the special ones, times of two hundredths."""
    text = ["", *sorted(pre_tokenizers.ByteLevel.alphabet()), *(f"Ġ{_in_bytes(word)}" for word in WORDS)]
    text += [f"Ġx{number}" for number in range(_END - len(text))]
    more = [f"<|x{number}|>" for number in range(99 - len(_LANGUAGES))]
    special = ["<|endoftext|>", "<|startoftranscript|>", *_LANGUAGES, *more, *_SPECIAL]
    return [*text, *special, *(f"<|{number * 0.02:.2f}|>" for number in range(1501))]


def _in_bytes(word: str) -> str:
    """How byte-level tokenizers write a word."""
    return pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(word)[0][0]


def _tokenizer(ids: dict[str, int]) -> Tokenizer:
    text = {token: number for token, number in ids.items() if number < _END}
    made = Tokenizer(models.BPE(vocab=text, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in list(ids)[_END:]])
    return made
