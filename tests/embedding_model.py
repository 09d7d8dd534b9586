"""Builds a small embedding model in ONNX that knows what a few words mean, as sentence-transformers lays it out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from tests.meanings import DIMENSIONS, WORDS, of_word

MOST_TOKENS = 32
"""What it reads at once, with the two signs at its ends."""

_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")


def build(folder: Path, *, pooling: str = "mean", ready: bool = False, prompts: dict[str, str] | None = None) -> Path:
    """Writes the model into a new folder. With `ready` it pools by itself, as some that are published do."""
    (folder / "onnx").mkdir(parents=True)
    (folder / "1_Pooling").mkdir()
    _tokenizer().save(str(folder / "tokenizer.json"))
    onnx.save(_graph(ready), str(folder / "onnx" / "model.onnx"))
    modes = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}
    told = {f"pooling_mode_{name}": mode == pooling for mode, name in modes.items()}
    _write(folder / "1_Pooling" / "config.json", {"word_embedding_dimension": DIMENSIONS, **told})
    _write(folder / "sentence_bert_config.json", {"max_seq_length": MOST_TOKENS, "do_lower_case": False})
    _write(folder / "config_sentence_transformers.json", {"prompts": prompts or {}})
    return folder


def _tokenizer() -> Tokenizer:
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *WORDS))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tokenizer


def _graph(ready: bool) -> Any:
    """Each token is looked up in a table; the mask is multiplied in, so that nobody can leave it out."""
    rows = [of_word("") for _ in _SPECIAL] + [of_word(word) for word in WORDS]
    table = numpy_helper.from_array(numpy.array(rows, dtype=numpy.float32), "table")
    axes = numpy_helper.from_array(numpy.array([2], dtype=numpy.int64), "axes")
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["looked_up"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "axes"], ["wide"]),
        helper.make_node("Mul", ["looked_up", "wide"], ["last_hidden_state"]),
    ]
    outputs = [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["batch", "tokens", DIMENSIONS])]
    if ready:
        nodes.append(
            helper.make_node("ReduceMean", ["last_hidden_state"], ["sentence_embedding"], axes=[1], keepdims=0)
        )
        outputs.append(helper.make_tensor_value_info("sentence_embedding", TensorProto.FLOAT, ["batch", DIMENSIONS]))
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])
        for name in ("input_ids", "attention_mask")
    ]
    graph = helper.make_graph(nodes, "meanings", inputs, outputs, [table, axes])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def _write(path: Path, told: dict[str, Any]) -> None:
    path.write_text(json.dumps(told))
