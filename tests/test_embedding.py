"""Promises about vectors of meanings: what is alike is near, whoever makes them, and whoever cannot says why."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamweb import vectors
from dreamweb.adapters.children import Watch
from dreamweb.adapters.embedding import Embedder, Passage, Queries
from dreamweb.adapters.embedding_child.passages import MOST, passages
from dreamweb.engines import EmbeddingEngine
from dreamweb.errors import Permanent, Transient
from dreamweb.vectors import cosine
from tests import embedding_model
from tests.conftest import until
from tests.embedding_server import Comparing, embedding_server, refusal, says
from tests.meanings import DIMENSIONS
from tests.speech_server import Reply

NOBODY = Watch(lambda _: None, lambda: None)

SEA, OCEAN, TRAIN = "I flew over the sea.", "Letela sem nad oceanom.", "There was a train in the snow."


def engine(kind: Any = "onnx", **more: Any) -> EmbeddingEngine:
    values: dict[str, Any] = {"model": "m", "url": "", "key": "", "query_prefix": "", "text_prefix": ""}
    return EmbeddingEngine(kind=kind, **values | more)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedding_model.build(tmp_path_factory.mktemp("models") / "meanings")


@pytest.fixture
def server() -> Iterator[Comparing]:
    with embedding_server() as comparing:
        yield comparing


@dataclass(frozen=True)
class Asking:
    """An engine in the one process that all tests of this file share: it keeps nothing but a model."""

    embedder: Embedder
    engine: EmbeddingEngine

    def query(self, text: str) -> bytes:
        return self.embedder.query(self.engine, text, NOBODY)

    def passages(self, *texts: tuple[str, str]) -> list[list[Passage]]:
        return self.embedder.passages(self.engine, texts, NOBODY)


@pytest.fixture(scope="module")
def embedder() -> Iterator[Embedder]:
    made = Embedder()
    yield made
    made.end()


Start = Callable[[EmbeddingEngine], Asking]


@pytest.fixture
def start(embedder: Embedder) -> Start:
    return lambda engine: Asking(embedder, engine)


def alike(embedder: Asking) -> list[float]:
    """How near the query is to the same in other words, and to something else."""
    wanted = embedder.query("soared ocean")
    made = embedder.passages(("", SEA), ("", OCEAN), ("", TRAIN))
    return [cosine(wanted, passages[0].vector) for passages in made]


def test_a_model_on_this_machine_knows_what_is_alike_in_either_language(start: Start, model: Path) -> None:
    sea, ocean, train = alike(start(engine(model=str(model))))
    assert min(sea, ocean) > train + 0.1


def test_a_server_knows_what_is_alike_and_is_asked_as_it_is_documented(start: Start, server: Comparing) -> None:
    server.key = "secret"
    sea, ocean, train = alike(start(engine("server", url=server.url, key="secret")))
    assert min(sea, ocean) > train + 0.1
    query, texts = server.asked
    assert query.body == {"model": "m", "input": ["soared ocean"], "encoding_format": "float"}
    assert texts.texts == [SEA, OCEAN, TRAIN]
    assert {asked.authorization for asked in server.asked} == {"Bearer secret"}


def test_vectors_are_told_apart_by_their_numbers_whatever_their_order(start: Start, server: Comparing) -> None:
    straight = start(engine("server", url=server.url)).passages(("", SEA), ("", TRAIN))
    server.backwards = True
    assert start(engine("server", url=server.url)).passages(("", SEA), ("", TRAIN)) == straight


def test_what_a_model_wants_to_read_before_stands_before(start: Start, server: Comparing) -> None:
    embedder = start(engine("server", url=server.url, query_prefix="query: ", text_prefix="passage: "))
    embedder.query("the sea")
    embedder.passages(("At night", SEA))
    assert server.texts == ["query: the sea", f"passage: At night\n{SEA}"]


def test_the_folder_of_a_model_says_what_stands_before(start: Start, tmp_path: Path) -> None:
    told = embedding_model.build(tmp_path / "told", prompts={"query": "train ", "document": "train "})
    plain = embedding_model.build(tmp_path / "plain")
    with_prompts, without = (start(engine(model=str(each))) for each in (told, plain))
    assert with_prompts.query("sea") == without.query("train sea")
    made = [each.passages(("", text))[0][0].vector for each, text in ((with_prompts, "sea"), (without, "train sea"))]
    assert made[0] == made[1]


@pytest.mark.parametrize("more", [{"pooling": "cls"}, {"pooling": "max"}, {"ready": True}])
def test_models_are_pooled_as_their_folder_says(start: Start, tmp_path: Path, more: dict[str, Any]) -> None:
    embedder = start(engine(model=str(embedding_model.build(tmp_path / "model", **more))))
    sea, _, train = alike(embedder)
    if more.get("pooling") == "cls":  # the first token, which is the same for all
        assert sea == train
    else:
        assert sea > train


def test_a_long_text_is_cut_into_passages_each_of_which_the_model_reads_whole(start: Start, model: Path) -> None:
    sentences = [f"This is sentence {number} of a long and quiet dream." for number in range(20)]
    sentences[13] = "Then the train came."
    text = " ".join(sentences)
    [made] = start(engine(model=str(model))).passages(("A title", text))
    assert len(made) > 3
    assert all(len(text[each.start : each.end].split()) < embedding_model.MOST_TOKENS for each in made)
    best = max(made, key=lambda each: cosine(each.vector, vectors.pack([0.6, 0, 0, 0, 1.0] + [0.0] * (DIMENSIONS - 5))))
    assert "the train came" in text[best.start : best.end]


def test_an_entry_without_a_text_is_its_title(start: Start, server: Comparing) -> None:
    [made] = start(engine("server", url=server.url)).passages(("The sea", ""))
    assert [(each.start, each.end) for each in made] == [(0, 0)]
    assert server.texts == ["The sea"]


# --- What can go wrong ---

NAN = b'{"data": [{"index": 0, "embedding": [NaN, 1]}]}'


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (refusal(401, "Incorrect API key provided: secret"), Permanent, "EMBEDDING_KEY"),
        (refusal(404, "The model `m` does not exist"), Permanent, "It says: The model `m` does not exist"),
        (refusal(400, "I flew over the sea. is too long"), Permanent, "Its own log may say why"),
        (refusal(429, "Rate limit reached", **{"Retry-After": "17"}), Transient, "too much to do"),
        (refusal(500, "no"), Transient, "status 500"),
        (Reply(status=302, headers={"Location": "http://example.org/"}), Permanent, "points to another address"),
        (Reply(body=b"<html>"), Transient, "makes no sense"),
        (Reply(body=b"[]"), Transient, "makes no sense"),
        (Reply(body=b'{"data": {}}'), Transient, "makes no sense"),
        (Reply(body=NAN), Transient, "makes no sense"),
        (says([]), Transient, "makes no sense"),
        (says([[0.1, 0.2], [0.1, 0.2]]), Transient, "makes no sense"),
        (says([[]]), Transient, "makes no sense"),
        (says([[0.0, 0.0]]), Transient, "makes no sense"),
        (says([[True, "1"]]), Transient, "makes no sense"),
        (says(["AAAA"]), Transient, "makes no sense"),
        (Reply(body=b"[" * 100_000), Transient, "makes no sense"),
        (Reply(body=says([[0.1] * 500]).body, cut=True), Transient, "broke"),
    ],
)
def test_a_server_that_misbehaves_is_told_apart(
    start: Start, server: Comparing, reply: Reply, error: type[Transient | Permanent], said: str
) -> None:
    server.replies = [reply]
    embedder = start(engine("server", url=server.url, key="secret"))
    with pytest.raises(error, match=said) as raised:
        embedder.query(SEA)
    assert "secret" not in raised.value.detail
    assert "flew" not in raised.value.detail  # everybody here can read it
    if isinstance(raised.value, Transient) and reply.status == 429:
        assert raised.value.retry_after == 17
    assert embedder.query(SEA)  # and the next time it works


def test_vectors_of_different_sizes_in_one_answer_are_none(start: Start, server: Comparing) -> None:
    server.replies = [says([[0.1, 0.2], [0.1, 0.2, 0.3]])]
    with pytest.raises(Transient, match="makes no sense"):
        start(engine("server", url=server.url)).passages(("", SEA), ("", TRAIN))


@pytest.mark.parametrize(
    ("url", "error", "said"),
    [("http://127.0.0.1:9/v1", Transient, "cannot be reached"), ("http://[::1", Permanent, "in this way")],
)
def test_a_server_that_is_not_there_is_said(start: Start, url: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        start(engine("server", url=url)).query(SEA)


def spoil(folder: Path, name: str, data: bytes | None) -> None:
    if data is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("onnx/model.onnx", None, "there is no model.onnx"),
        ("tokenizer.json", None, "there is no tokenizer.json"),
        ("onnx/model.onnx", b"not a model", "damaged"),
        ("onnx/model.onnx", b"", "damaged"),
        ("tokenizer.json", b"{", "damaged"),
        ("tokenizer.json", b"{}", "damaged"),
        ("1_Pooling/config.json", b"[]", "damaged"),
        ("sentence_bert_config.json", b'{"max_seq_length": "many"}', "damaged"),
    ],
)
def test_a_model_that_is_not_whole_says_what_it_lacks(
    start: Start, tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    folder = embedding_model.build(tmp_path / "model")
    spoil(folder, name, data)
    embedder = start(engine(model=str(folder)))
    with pytest.raises(Permanent, match=said):
        embedder.query(SEA)
    assert embedder.embedder.pid  # it was told, and did not end


def test_a_folder_that_is_not_there_is_said(start: Start, tmp_path: Path) -> None:
    with pytest.raises(Permanent, match="EMBEDDING_MODEL"):
        start(engine(model=str(tmp_path / "none"))).query(SEA)


def test_a_million_dots_are_cut_in_no_time(start: Start, server: Comparing) -> None:
    for text in ("." * 1_000_000 + "x", ". " * 500_000, "\n " * 500_000 + "x", "a." * 500_000):
        begun = time.monotonic()
        assert len(passages(text, len, 1200)) <= MOST
        assert time.monotonic() - begun < 20  # it took hours


def test_a_model_that_changes_in_the_middle_of_a_text_is_none(start: Start, server: Comparing) -> None:
    long = "I was at sea. " * 1500
    server.replies = [says([[0.1, 0.2]] * 16)]
    with pytest.raises(Transient, match="cannot be compared"):
        start(engine("server", url=server.url)).passages(("", long))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("1_Pooling/config.json", {"pooling_mode_lasttoken": True}),
        ("1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}),
        (
            "modules.json",
            [{"type": "sentence_transformers.models.Pooling"}, {"type": "sentence_transformers.models.Dense"}],
        ),
    ],
)
def test_a_model_that_does_more_than_we_do_is_refused(start: Start, tmp_path: Path, name: str, told: Any) -> None:
    folder = embedding_model.build(tmp_path / "model")
    (folder / name).write_text(json.dumps(told))
    with pytest.raises(Permanent, match="of another kind"):
        start(engine(model=str(folder))).query(SEA)


# --- What people look for ---


@pytest.fixture
def queries(server: Comparing) -> Iterator[Queries]:
    made = Queries(engine("server", url=server.url))
    yield made
    made.end()


def test_who_looks_for_something_does_not_wait_for_long_and_finds_it_ready_later(
    server: Comparing, queries: Queries
) -> None:
    assert queries.vector("train", 20)  # the process has started
    server.replies = [Reply(body=says([[0.5, 0.1]]).body, wait_seconds=1.5)]
    started = time.monotonic()
    assert queries.vector("sea", 0.2) is None
    assert time.monotonic() - started < 1
    until(lambda: queries.vector("sea", 0) is not None)
    assert len(server.asked) == 2


def test_what_was_asked_before_is_not_asked_again(server: Comparing, queries: Queries) -> None:
    assert queries.vector("sea", 20) == queries.vector("sea", 20)
    assert len(server.asked) == 1


def test_an_engine_that_has_failed_is_left_alone_for_a_while(server: Comparing, queries: Queries) -> None:
    server.replies = [refusal(500, "no")]
    assert queries.vector("sea", 20) is None
    assert queries.vector("sea", 20) is None
    assert queries.vector("train", 20) is None
    assert len(server.asked) == 1


def test_what_it_refuses_does_not_keep_others_from_asking(server: Comparing, queries: Queries) -> None:
    server.refuses = ("forbidden",)
    assert queries.vector("the forbidden sea", 20) is None
    assert queries.vector("sea", 20)
    server.refuses = ()
    assert queries.vector("the forbidden sea", 20)


def test_a_slow_engine_is_not_given_more_than_it_can_do(server: Comparing, queries: Queries) -> None:
    server.replies = [Reply(body=says([[0.5, 0.1]]).body, wait_seconds=2)]
    assert [queries.vector(f"sea {number}", 0) for number in range(50)] == [None] * 50
    until(lambda: queries.vector("sea 3", 0) is not None)
    until(lambda: len(server.asked) >= 4)  # they are asked side by side, and another one may be late
    assert len(server.asked) == 4


def test_only_a_model_of_this_machine_is_warmed_up(server: Comparing, queries: Queries, model: Path) -> None:
    queries.warm()
    local = Queries(engine(model=str(model)))
    try:
        local.warm()
        assert local.vector("sea", 20)
    finally:
        local.end()
    assert not server.asked


# --- Numbers and passages ---

numbers = st.lists(st.floats(-1, 1), min_size=64, max_size=64).filter(lambda each: max(map(abs, each)) > 0.01)


@given(numbers, numbers)
def test_a_packed_vector_points_in_the_same_direction(one: Sequence[float], other: Sequence[float]) -> None:
    def exact(a: Sequence[float], b: Sequence[float]) -> float:
        product = sum(x * y for x, y in zip(a, b, strict=True))
        return float(product / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5)

    assert cosine(vectors.pack(one), vectors.pack(other)) == pytest.approx(exact(one, other), abs=0.02)
    assert cosine(vectors.pack(one), vectors.pack(one)) == pytest.approx(1)
    assert cosine(vectors.middle([vectors.pack(one)] * 3), vectors.pack(one)) == pytest.approx(1, abs=0.001)


def test_what_points_nowhere_is_like_nothing() -> None:
    assert cosine(vectors.pack([0, 0]), vectors.pack([1, 1])) == 0


written = st.lists(
    st.sampled_from(["a", "morje", "x" * 300, ".", "!", "…", "\n\n", " ", "„dom“", "3.5", "?!"]), max_size=200
)


@given(written.map(" ".join) | written.map("".join), st.integers(5, 60))
def test_every_word_is_in_a_passage_in_order_and_none_is_too_long(text: str, most: int) -> None:
    found = passages(text, len, most)
    assert 1 <= len(found) <= MOST
    assert all(start <= end for start, end in found)
    assert all(one[1] <= other[0] for one, other in pairwise(found))
    if len(found) < MOST:
        kept = "".join(text[start:end] for start, end in found)
        assert "".join(kept.split()) == "".join(text.split())
    for start, end in found:
        assert end - start <= max(most, 200)


def test_passages_end_where_sentences_do() -> None:
    text = "I was at sea. The waves were high! Then it was morning."
    assert [text[start:end] for start, end in passages(text, len, 36)] == [
        "I was at sea. The waves were high!",
        "Then it was morning.",
    ]
