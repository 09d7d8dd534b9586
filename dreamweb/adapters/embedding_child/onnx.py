"""Makes vectors by a model in a folder, as sentence-transformers lays it out, with its weights in ONNX.

What its files say: https://sbert.net/docs/package_reference/sentence_transformer/models.html. The model is loaded when
it is first asked, and kept for as long as this process lives.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dreamweb.errors import Permanent, Transient
from dreamweb.words import Said, say

try:
    import numpy
    import onnxruntime
    from tokenizers import Tokenizer
except ImportError:
    raise Permanent(
        say("What the embedding model needs is not installed. Run `pip install 'dreamweb[embeddings]'`.")
    ) from None


def _is_error(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


_WEIGHTS = ("model_quantized.onnx", "model.onnx")
"""By what they are called, in the folder or in its folder `onnx`; the smaller ones first."""

_MOST_TOKENS = 512
"""What nearly all of these models have learned to read at once, where the folder does not say so."""

# Of a model that does something else after its last layer, the vectors would be wrong.
_DONE_BY_US = ("Transformer", "Pooling", "Normalize")

_READY = "sentence_embedding"
"""What the output is called in which there is one vector for each text already."""

_POOLINGS = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean", "pooling_mode_max_tokens": "max"}

_KIND_OF_NUMBER = {"tensor(int64)": "int64", "tensor(int32)": "int32"}

# What onnxruntime throws has names in the module of its C++ side only.
_FAILURES: tuple[type[Exception], ...] = (
    *(each for each in vars(onnxruntime.capi.onnxruntime_pybind11_state).values() if _is_error(each)),
    KeyError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)

_loaded: dict[str, _Model] = {}


class _Model:
    """A model in memory: what reads its folder, and what counts in it."""

    def __init__(self, folder: Path) -> None:
        # The first part of whatever sentence-transformers runs is what turns tokens into vectors; then it is pooled.
        told = _json(folder / "sentence_bert_config.json")
        self.most = min(int(told.get("max_seq_length") or _MOST_TOKENS), _MOST_TOKENS)
        self.pooling = _pooling(folder)
        self.prompts: dict[str, str] = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(self.most)
        self.tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(4, os.cpu_count() or 1)
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(
            str(weights(folder)), sess_options=options, providers=["CPUExecutionProvider"]
        )
        self.inputs = {each.name: _KIND_OF_NUMBER.get(each.type, "int64") for each in self.session.get_inputs()}
        self.output = _output([(each.name, len(each.shape)) for each in self.session.get_outputs()])
        if self.output != _READY:
            _check(folder)


class Onnx:
    """The engine as a question wants it."""

    def __init__(self, question: dict[str, Any]) -> None:
        self._model = _load(question["model"])
        prompts = self._model.prompts
        self._before_query = question["query_prefix"] or prompts.get("query", "")
        self._before_text = question["text_prefix"] or prompts.get("document", prompts.get("passage", ""))
        self.most = self._model.most - len(self._model.tokenizer.encode(self._before_text).ids)

    def size(self, text: str) -> int:
        """In tokens."""
        self._model.tokenizer.no_truncation()
        try:
            return len(self._model.tokenizer.encode(text, add_special_tokens=False).ids)
        finally:
            self._model.tokenizer.enable_truncation(self._model.most)

    def query(self, text: str) -> Sequence[float]:
        return self._vectors([self._before_query + text])[0]

    def texts(self, texts: Sequence[str]) -> list[Sequence[float]]:
        return self._vectors([self._before_text + text for text in texts])

    def _vectors(self, texts: Sequence[str]) -> list[Sequence[float]]:
        model = self._model
        encoded = model.tokenizer.encode_batch(list(texts))
        mask = numpy.array([each.attention_mask for each in encoded])
        columns = {
            "input_ids": [each.ids for each in encoded],
            "attention_mask": mask,
            "token_type_ids": [each.type_ids for each in encoded],
            "position_ids": [list(range(len(each.ids))) for each in encoded],
        }
        try:
            given = {name: numpy.array(columns[name], dtype=kind) for name, kind in model.inputs.items()}
            [found] = model.session.run([model.output], given)
        except MemoryError:
            raise Transient(say("There is not enough memory for this embedding model.")) from None
        except _FAILURES:
            raise Permanent(_unknown()) from None
        pooled = _pooled(found.astype("float32"), mask, model.pooling)
        if not numpy.isfinite(pooled).all():
            raise Permanent(say("The embedding model has answered with what is no number."))
        vectors: list[Sequence[float]] = pooled.tolist()
        return vectors


def _pooled(found: Any, mask: Any, pooling: str) -> Any:
    """One vector for each text, where the model gives one for each token."""
    if found.ndim == 2:
        return found
    if pooling == "cls":
        return found[:, 0]
    wide = mask[:, :, None].astype("float32")
    if pooling == "max":
        return numpy.where(wide > 0, found, -numpy.inf).max(axis=1)
    return (found * wide).sum(axis=1) / numpy.maximum(wide.sum(axis=1), 1e-9)


def weights(folder: Path) -> Path:
    """The file of the weights. Raises `Permanent` when there is none."""
    for place in (folder, folder / "onnx"):
        for name in _WEIGHTS:
            if (place / name).is_file():
                return place / name
    raise Permanent(_not_there(folder, "model.onnx"))


def _load(model: str) -> _Model:
    if model not in _loaded:
        _loaded.clear()
        folder = Path(model).expanduser()
        weights(folder)
        if not (folder / "tokenizer.json").is_file():
            raise Permanent(_not_there(folder, "tokenizer.json"))
        try:
            if "model" not in _json(folder / "tokenizer.json"):
                raise ValueError  # tokenizers says so in a way that cannot be told apart
            _loaded[model] = _Model(folder)
        except MemoryError:
            raise Transient(say("There is not enough memory for this embedding model.")) from None
        except _FAILURES:
            raise Permanent(
                say("The embedding model in %(folder)s is damaged, or of another kind.", folder=str(folder))
            ) from None
    return _loaded[model]


def _pooling(folder: Path) -> str:
    told = _json(folder / "1_Pooling" / "config.json")
    ways = [_POOLINGS[mode] for mode, on in told.items() if on is True and mode.startswith("pooling_mode_")]
    found = ways[0] if len(ways) == 1 else told.get("pooling_mode", "mean")
    if len(ways) > 1 or found not in _POOLINGS.values():
        raise ValueError("pooled in a way that is not ours")
    return str(found)


def _output(outputs: Sequence[tuple[str, int]]) -> str:
    """What is a vector for each text already; else what is one for each token."""
    ready = next((name for name, _ in outputs if name == _READY), None)
    names = [name for name, axes in outputs if axes == 3] or [name for name, axes in outputs if axes == 2]
    if ready is None and not names:
        raise ValueError("no output that could be a vector")
    return ready or names[0]


def _check(folder: Path) -> None:
    """Raises `ValueError` for a model that does more than it says in ONNX, such as a dense layer."""
    modules = folder / "modules.json"
    kinds = [str(each.get("type", "")) for each in json.loads(modules.read_bytes())] if modules.is_file() else []
    if not all(kind.rpartition(".")[2] in _DONE_BY_US for kind in kinds):
        raise ValueError(modules.name)


def _json(path: Path) -> dict[str, Any]:
    """What a file says; nothing, where there is none. Raises `ValueError` for one that is damaged."""
    told = json.loads(path.read_bytes()) if path.is_file() else {}
    if not isinstance(told, dict):
        raise ValueError(path.name)
    return told


def _not_there(folder: Path, name: str) -> Said:
    return say(
        "The embedding model is not here: there is no %(name)s in %(folder)s. Check EMBEDDING_MODEL, which is the path "
        "of a folder.",
        name=name,
        folder=str(folder),
    )


def _unknown() -> Said:
    return say("The embedding model cannot be asked in the way in which others are. Choose another one.")
