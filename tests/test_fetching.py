"""Promises about models: they come from where they are kept, whole, and without a network it is said what to do."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.cli import ScriptInfo

from dreamweb.adapters import whisper_models
from dreamweb.adapters.children import Watch
from dreamweb.config import Settings
from dreamweb.errors import DreamWebError, Permanent, Transient
from dreamweb.fetching import models
from dreamweb.words import Said
from tests.model_hub import Hub, model_hub

NOBODY = Watch(lambda _: None, lambda: None)

MODEL = {
    "model.bin": random.Random(6).randbytes(3_000_000),
    "config.json": b"{}",
    "tokenizer.json": b'{"version": "1.0"}',
    "vocabulary.txt": b"a\nb\n",
    "README.md": b"# A model",
    "pytorch_model.bin": b"not needed",
}


@pytest.fixture
def hub() -> Iterator[Hub]:
    with model_hub(repositories={"Systran/faster-whisper-tiny": MODEL, "somebody/own-model": MODEL}) as hub:
        yield hub


def fetch(hub: Hub, folder: Path, model: str = "tiny", *, watch: Watch = NOBODY, token: str | None = None) -> Path:
    return whisper_models.download(str(folder), model, watch, hub=hub.url, token=token)


def failure(hub: Hub, folder: Path, model: str = "tiny") -> DreamWebError:
    with pytest.raises((Permanent, Transient)) as failed:
        fetch(hub, folder, model)
    assert isinstance(failed.value.detail, Said)
    return failed.value


@pytest.mark.parametrize(("model", "name"), [("tiny", "tiny"), ("somebody/own-model", "somebody--own-model")])
def test_a_model_is_downloaded_with_what_it_needs_and_nothing_else(
    hub: Hub, tmp_path: Path, model: str, name: str
) -> None:
    told: list[float] = []
    path = fetch(hub, tmp_path / "models", model, watch=Watch(told.append, lambda: None))
    assert path == tmp_path / "models" / name == whisper_models.place(str(tmp_path / "models"), model)
    needed = {name: data for name, data in MODEL.items() if name not in ("README.md", "pytorch_model.bin")}
    assert {file.name: file.read_bytes() for file in path.iterdir()} == needed
    [found] = whisper_models.installed(str(tmp_path / "models"))
    assert (found.name, found.missing) == (model, ())
    assert found.size_bytes == sum(map(len, needed.values()))
    assert all(0 <= share <= 1 for share in told)


def test_a_download_that_was_cut_off_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    hub.cut_once = {"model.bin"}
    fetch(hub, tmp_path)
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == MODEL["model.bin"]
    assert hub.ranges == ["model.bin"]


def test_a_download_that_was_killed_goes_on_where_it_ended(hub: Hub, tmp_path: Path) -> None:
    def progress(share: float) -> None:
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(hub, tmp_path, watch=Watch(progress, lambda: None))
    [part] = (tmp_path / "tiny").glob("model.bin.*.part")
    part.write_bytes(MODEL["model.bin"][:1_000_000])  # however far it came
    assert "model.bin" in whisper_models.installed(str(tmp_path))[0].missing
    fetch(hub, tmp_path)
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == MODEL["model.bin"]
    assert hub.ranges == ["model.bin"]
    assert not part.exists()


def test_what_came_damaged_is_not_kept(hub: Hub, tmp_path: Path) -> None:
    hub.damages = True
    failed = failure(hub, tmp_path)
    assert isinstance(failed, Transient)
    assert "damaged" in failed.detail
    hub.damages = False
    fetch(hub, tmp_path)
    assert (tmp_path / "tiny" / "model.bin").read_bytes() == MODEL["model.bin"]


def test_what_is_not_for_everybody_is_said_to_need_a_token(hub: Hub, tmp_path: Path) -> None:
    hub.token = "hf_known"
    assert "HF_TOKEN" in failure(hub, tmp_path).detail
    assert fetch(hub, tmp_path, token="hf_known").is_dir()


def test_what_is_here_is_not_downloaded_again(hub: Hub, tmp_path: Path) -> None:
    fetch(hub, tmp_path)
    hub.asked.clear()
    fetch(hub, tmp_path)
    assert hub.asked == ["/api/models/Systran/faster-whisper-tiny"]


def test_without_a_network_it_is_said_what_to_do(tmp_path: Path) -> None:
    failed = failure(Hub(url="http://127.0.0.1:9"), tmp_path)
    assert isinstance(failed, Transient)
    assert str(tmp_path / "tiny") in failed.detail
    assert "SPEECH_MODEL" in failed.detail


def test_a_hub_that_fails_is_asked_again_later(hub: Hub, tmp_path: Path) -> None:
    hub.status = 500
    assert isinstance(failure(hub, tmp_path), Transient)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"sha": "../..", "siblings": []}', b'{"siblings": [{"rfilename": 5}]}']
)
def test_a_hub_that_answers_nonsense_is_not_believed(hub: Hub, tmp_path: Path, body: bytes) -> None:
    hub.described = body
    failed = failure(hub, tmp_path / "models")
    assert isinstance(failed, Transient)
    assert "no sense" in failed.detail
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("model", ["nobody/nothing", "huge", "a/b/c", "..", "", "/etc", "a b/c"])
def test_a_model_that_does_not_exist_is_said_not_to(hub: Hub, tmp_path: Path, model: str) -> None:
    failed = failure(hub, tmp_path / "models", model)
    assert isinstance(failed, Permanent)
    assert "no model" in failed.detail
    assert not (tmp_path / "models").exists()


def test_a_model_of_another_kind_is_said_to_be_one_before_anything_is_downloaded(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["somebody/transformers"] = {"model.safetensors": b"x" * 1000, "config.json": b"{}"}
    failed = failure(hub, tmp_path / "models", "somebody/transformers")
    assert isinstance(failed, Permanent)
    assert "CTranslate2" in failed.detail
    assert not (tmp_path / "models").exists()


def test_a_model_that_lacks_a_file_is_said_to_lack_it(hub: Hub, tmp_path: Path) -> None:
    hub.repositories["somebody/part"] = {name: MODEL[name] for name in ("model.bin", "config.json")}
    failed = failure(hub, tmp_path, "somebody/part")
    assert isinstance(failed, Permanent)
    assert "tokenizer.json" in failed.detail
    assert whisper_models.installed(str(tmp_path)) == []


def test_a_model_for_which_there_is_no_room_is_not_begun(hub: Hub, tmp_path: Path) -> None:
    hub.claimed_bytes = 2**60
    failed = failure(hub, tmp_path)
    assert isinstance(failed, Permanent)
    assert "room" in failed.detail
    assert not any(file.is_file() for file in tmp_path.rglob("model.bin*"))


# --- The commands ---


@pytest.fixture
def info(tmp_path: Path) -> ScriptInfo:
    app = Flask("test")
    app.config["DREAMWEB"] = Settings(data_dir=tmp_path)
    return ScriptInfo(create_app=lambda: app)


def run(info: ScriptInfo, *words: str) -> str:
    outcome = CliRunner().invoke(models, words, obj=info, catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.output


def test_the_commands_download_and_list(
    hub: Hub, info: ScriptInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    assert "models download NAME" in run(info, "list")
    said = run(info, "download", "tiny")
    assert str(tmp_path / "models" / "tiny") in said
    assert "SPEECH_MODEL=tiny" in said
    assert run(info, "list") == "tiny\t3 MB\tready\n"
    (tmp_path / "models" / "tiny" / "model.bin").unlink()
    assert "lacks model.bin" in run(info, "list")
