"""The commands that list and download speech models: `dreamweb models`."""

from __future__ import annotations

import sys

import click
from flask.cli import ScriptInfo

from dreamweb.adapters import whisper_models
from dreamweb.adapters.children import Watch
from dreamweb.config import Settings
from dreamweb.engines import SpeechEngine

_STEPS = 1000


@click.group()
def models() -> None:
    """Speech models on this machine, for SPEECH_ENGINE=faster-whisper."""


@models.command("list")
@click.pass_context
def list_models(context: click.Context) -> None:
    """List the models that are here."""
    engine = _engine(context)
    found = whisper_models.installed(engine.folder)
    for model in found:
        state = f"lacks {', '.join(model.missing)}" if model.missing else "ready"
        click.echo(f"{model.name}\t{_size(model.size_bytes)}\t{state}")
    if not found:
        names = ", ".join(whisper_models.REPOSITORIES)
        click.echo(f"There is no model in {engine.folder}.", err=True)
        click.echo(f"Next: {sys.argv[0]} models download NAME, which is one of {names}, or OWNER/NAME.", err=True)


@models.command("download")
@click.argument("name")
# By the names that huggingface's own tools have for them.
@click.option("--hub", envvar="HF_ENDPOINT", default=whisper_models.HUB, show_default=True, help="Or HF_ENDPOINT.")
@click.option("--token", envvar="HF_TOKEN", help="For models that are not for everybody. Or HF_TOKEN.")
@click.pass_context
def download_model(context: click.Context, name: str, hub: str, token: str | None) -> None:
    """Download a model by its NAME from huggingface.co, or go on with what is here in part.

    tiny, base, small, medium and large-v3 are short names; any other model in the format of CTranslate2 is OWNER/NAME.
    """
    engine = _engine(context)
    with click.progressbar(length=_STEPS, label=f"Downloading {name}", file=sys.stderr) as bar:
        watch = Watch(lambda share: bar.update(round(share * _STEPS) - bar.pos), lambda: None)
        path = whisper_models.download(engine.folder, name, watch, hub=hub, token=token)
        bar.update(_STEPS - bar.pos)
    click.echo(f"The model is in {path}.", err=True)
    if engine.kind != "faster-whisper" or whisper_models.place(engine.folder, engine.model) != path:
        click.echo(f"To use it, set SPEECH_ENGINE=faster-whisper and SPEECH_MODEL={name}.", err=True)


def _engine(context: click.Context) -> SpeechEngine:
    settings: Settings = context.ensure_object(ScriptInfo).load_app().config["DREAMWEB"]
    return settings.engines.speech


def _size(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.0f} MB"
