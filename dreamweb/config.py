"""Reads every setting once, checks it, and knows where templates, static files and migrations lie."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from contextlib import suppress
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from dreamweb.engines import (
    LOCAL,
    EmbeddingEngine,
    EmbeddingKind,
    Engines,
    LanguageModel,
    Provider,
    SpeechEngine,
    SpeechKind,
)
from dreamweb.errors import BadSetting

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent

# Letters, digits, dots and dashes only: the library would take anything else for a pattern.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.-]+(:\d+)?", re.ASCII)

_WEB_ADDRESS = re.compile(r"https?://[^/\s]+(/\S*)?", re.ASCII)

_KEYS = {"openai": "openai_api_key", "anthropic": "anthropic_api_key", "google": "google_api_key"}

Formats = Literal["mp3", "m4a", "webm", "ogg", "wav", "flac", "aac"]
AttachmentFormats = Literal[Formats, "jpg", "png", "gif", "webp", "avif", "heic", "pdf", "mp4", "mov", "txt"]


def _default_data_dir() -> Path:
    """`./instance` of a checkout; of an installed package a folder of the person's own, never one inside a virtual
    environment, which people delete without a thought."""
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / "instance"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "dreamweb"


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Settings(BaseSettings):
    """Every setting, by the name it has in the environment or in `.env` (there in capitals)."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore", frozen=True
    )

    data_dir: Path = Field(default_factory=_default_data_dir)
    audio_storage_path: Path | None = None
    database_url: SecretStr | None = None
    database_host: str | None = None
    database_port: int = Field(default=5432, ge=1, le=65535)
    database_name: str = "dreamweb"
    database_user: str = "dreamweb"
    database_password: SecretStr | None = None
    db_pool_size: int = Field(default=5, ge=1, le=100)
    db_max_overflow: int = Field(default=10, ge=0, le=100)
    max_file_size_mb: int = Field(default=100, ge=1, le=10_000)
    allowed_audio_formats: Annotated[frozenset[Formats], NoDecode] = frozenset(
        {"mp3", "m4a", "webm", "ogg", "wav", "flac", "aac"}
    )
    capture_idle_minutes: float = Field(default=10, gt=0, le=1440)
    max_attachment_size_mb: int = Field(default=25, ge=1, le=10_000)
    max_attachments: int = Field(default=20, ge=0, le=1000)
    allowed_attachment_formats: Annotated[frozenset[AttachmentFormats], NoDecode] = frozenset(
        get_args(AttachmentFormats)
    )
    workers: int = Field(default=1, ge=0, le=16)
    outside_calls: bool = True
    calls_per_minute: int = Field(default=0, ge=0, le=6000)
    speech_engine: SpeechKind = "none"
    speech_model: str = Field(default="small", min_length=1, max_length=500)
    speech_url: str = Field(default="", max_length=500)
    speech_key: SecretStr = SecretStr("")
    speech_threads: int = Field(default=4, ge=1, le=64)
    speech_words: str = Field(default="", max_length=500)
    speech_idle_minutes: float = Field(default=10, gt=0, le=1440)
    language_models: Annotated[tuple[str, ...], NoDecode] = ("local",)
    language_url: str = Field(default="", max_length=500)
    language_key: SecretStr = SecretStr("")
    openai_api_key: SecretStr = SecretStr("")
    anthropic_api_key: SecretStr = SecretStr("")
    google_api_key: SecretStr = SecretStr("")
    monthly_tokens: int = Field(default=0, ge=0)
    embedding_engine: EmbeddingKind = "none"
    embedding_model: str = Field(default="", max_length=500)
    embedding_url: str = Field(default="", max_length=500)
    embedding_key: SecretStr = SecretStr("")
    embedding_query_prefix: str = Field(default="", max_length=200)
    embedding_text_prefix: str = Field(default="", max_length=200)
    host: str = "0.0.0.0"  # noqa: S104 -- a phone on the home network must reach it
    port: int = Field(default=8000, ge=0, le=65535)
    web_threads: int = Field(default=8, ge=1, le=64)
    trusted_proxy: str | None = None
    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    secret_key: SecretStr | None = Field(default=None, min_length=16)
    admin_username: str | None = Field(default=None, min_length=1, max_length=64)
    admin_password: SecretStr | None = Field(default=None, min_length=8, max_length=1024)
    api_token: SecretStr | None = Field(default=None, min_length=24, max_length=256)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    debug: bool = False
    reload: bool = False

    @field_validator("allowed_audio_formats", "allowed_attachment_formats", mode="before")
    @classmethod
    def _formats(cls, value: Any) -> Any:
        formats = {name.lower().removeprefix(".") for name in _comma_separated(value)}
        if not formats:
            raise ValueError("name at least one format")
        return formats

    @field_validator("cors_origins", "language_models", mode="before")
    @classmethod
    def _list(cls, value: Any) -> Any:
        return _comma_separated(value)

    @field_validator("data_dir", "audio_storage_path")
    @classmethod
    def _of_home(cls, value: Path | None) -> Path | None:
        return value and value.expanduser()

    @field_validator("trusted_proxy")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                ip_address(value)
            except ValueError:
                raise ValueError(f"{value!r} is no address like 127.0.0.1") from None
        return value

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is no origin: write it like https://example.org, or * for any")
        return value

    @field_validator("speech_url", "language_url", "embedding_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value:
            with suppress(ValueError):  # of a port that is none, or half an IPv6 address
                if _WEB_ADDRESS.fullmatch(value) and urlsplit(value).hostname and urlsplit(value).port != 0:
                    return value.rstrip("/")
            raise ValueError(f"{value!r} is no address like http://localhost:9000/v1")
        return value.rstrip("/")

    @field_validator("language_models")
    @classmethod
    def _models(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            provider, _, model = name.partition(":")
            if name != LOCAL and not (provider in get_args(Provider) and provider != LOCAL and model):
                raise ValueError(
                    f"{name!r} is none: write local, server:NAME, openai:NAME, anthropic:NAME, google:NAME"
                )
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                backend = make_url(value.get_secret_value()).get_backend_name()
            except ArgumentError:
                raise ValueError("it is not a database address like postgresql://user:password@host/name") from None
            if backend not in ("sqlite", "postgresql", "postgres"):
                raise ValueError(f"{backend!r} is not supported: use sqlite or postgresql")
            file = make_url(value.get_secret_value()).database or ""
            if backend == "sqlite" and not file.startswith("/"):
                raise ValueError("name the file with its whole path, like sqlite:////absolute/path")
        return value

    @model_validator(mode="after")
    def _admin_is_whole(self) -> Settings:
        if (self.admin_username is None) != (self.admin_password is None):
            raise ValueError("ADMIN_USERNAME and ADMIN_PASSWORD: set both, or neither")
        return self

    @model_validator(mode="after")
    def _engines_are_whole(self) -> Settings:
        if self.speech_engine == "server" and not self.speech_url:
            raise ValueError("SPEECH_URL: SPEECH_ENGINE=server needs the server's address")
        if self.embedding_engine == "server" and not self.embedding_url:
            raise ValueError("EMBEDDING_URL: EMBEDDING_ENGINE=server needs the server's address")
        if self.embedding_engine != "none" and not self.embedding_model:
            raise ValueError(f"EMBEDDING_MODEL: EMBEDDING_ENGINE={self.embedding_engine} needs a model")
        for model in self.engines.language:
            if model.provider == "server" and not model.url:
                raise ValueError("LANGUAGE_URL: LANGUAGE_MODELS names a server, and its address is missing")
            if model.provider in _KEYS and not model.key:
                raise ValueError(
                    f"{_KEYS[model.provider].upper()}: LANGUAGE_MODELS names {model.name}, which needs a key"
                )
        return self

    @cached_property
    def engines(self) -> Engines:
        """What hears and understands."""
        return Engines(
            speech=SpeechEngine(
                kind=self.speech_engine,
                model=self.speech_model,
                url=self.speech_url,
                key=self.speech_key.get_secret_value(),
                threads=self.speech_threads,
                words=self.speech_words,
                idle_seconds=self.speech_idle_minutes * 60,
                folder=str(self.data_dir.absolute() / "models"),
            ),
            language=tuple(self._language_model(name) for name in self.language_models),
            embedding=EmbeddingEngine(
                kind=self.embedding_engine,
                model=self.embedding_model,
                url=self.embedding_url,
                key=self.embedding_key.get_secret_value(),
                query_prefix=self.embedding_query_prefix,
                text_prefix=self.embedding_text_prefix,
            ),
            outside_calls=self.outside_calls,
            monthly_tokens=self.monthly_tokens,
        )

    def _language_model(self, name: str) -> LanguageModel:
        provider, _, model = name.partition(":")
        secret: SecretStr = getattr(self, _KEYS.get(provider, "language_key"))
        url = self.language_url if provider == "server" else ""
        return LanguageModel(cast(Provider, provider), model, url, secret.get_secret_value())

    @cached_property
    def audio_root(self) -> Path:
        return (self.audio_storage_path or self.data_dir / "audio").absolute()

    @cached_property
    def database(self) -> URL:
        """Where the database is; SQLite in the data folder when no setting says otherwise."""
        if self.database_url:
            url = make_url(self.database_url.get_secret_value())
        elif self.database_host:
            password = self.database_password.get_secret_value() if self.database_password else None
            host, port = self.database_host, self.database_port
            url = URL.create("postgresql", self.database_user, password, host, port, self.database_name)
        else:
            url = URL.create("sqlite", database=str(self.data_dir.absolute() / "dreamweb.sqlite3"))
        if url.get_backend_name() == "sqlite":
            return url.set(drivername="sqlite")
        return url.set(drivername="postgresql+psycopg")

    @property
    def max_file_bytes(self) -> int:
        return self.max_file_size_mb * 1024 * 1024

    @property
    def max_attachment_bytes(self) -> int:
        return self.max_attachment_size_mb * 1024 * 1024


def load(**values: Any) -> Settings:
    """Read the settings; `values` take precedence over the environment, and the environment over `.env`.

    Raises `BadSetting` with one sentence that names the setting.
    """
    try:
        return Settings(**values)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][0]).upper() if first["loc"] else ""
        reason = first["msg"].removeprefix("Value error, ")
        if first["type"] == "too_short":  # pydantic counts the items of a secret
            reason = f"at least {first['ctx']['min_length']} characters are needed"
        raise BadSetting(f"{name}: {reason}." if name else f"{reason}.") from None


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: the setting, else one made on first start and kept in the data folder.

    Raises `BadSetting` when it can be neither read nor kept.
    """
    if settings.secret_key:
        return settings.secret_key.get_secret_value()
    path = settings.data_dir / "secret_key"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            temporary = path.with_name(f".secret_key.{os.getpid()}")
            with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
                file.flush()
                os.fsync(file.fileno())
            # Linked, not renamed: of two processes that start at once, the second takes what the first has made.
            with suppress(FileExistsError):
                os.link(temporary, path)
            temporary.unlink()
        key = path.read_text()
    except OSError as error:
        raise BadSetting(f"DATA_DIR: {settings.data_dir} cannot be used: {error.strerror}.") from None
    if len(key) < 16:
        raise BadSetting(f"DATA_DIR: {path} is damaged. Delete it: a new one is made, and everybody signs in again.")
    return key


def resource(name: str) -> Path:
    """Where `templates`, `static` or `migrations` lies: inside the installed package, else beside it in a checkout."""
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _CHECKOUT / name


def digest(folder: Path) -> str:
    """A short name for the contents of a folder, different when any of its files is."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found.update(f"{path.relative_to(folder)}\0".encode())
            found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()[:12]
