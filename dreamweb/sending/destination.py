"""Knows where recordings are sent: the journal's address and token, from the environment or a file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dreamweb.errors import BadSetting

_NEEDED = (
    "Where to send, and as whom? Set DREAMWEB_URL and DREAMWEB_TOKEN, or write them into {file}:\n"
    '  url = "http://dreams.local:8000"\n'
    '  token = "dw_..."'
)


class Folders(BaseSettings):
    """Where this person's programs keep such things (XDG Base Directory Specification)."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    xdg_config_home: Path = Field(default_factory=lambda: Path.home() / ".config")
    xdg_state_home: Path = Field(default_factory=lambda: Path.home() / ".local" / "state")

    @property
    def config(self) -> Path:
        return self.xdg_config_home / "dreamweb" / "send.toml"

    @property
    def memory(self) -> Path:
        return self.xdg_state_home / "dreamweb" / "sent.jsonl"


class _Environment(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="DREAMWEB_", env_ignore_empty=True, extra="ignore", frozen=True)

    url: str | None = None
    token: SecretStr | None = None


class Destination(BaseModel):
    """A journal, and the token by which it knows whose recordings come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    token: SecretStr

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        try:
            parts = urlsplit(value)
            good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            good = False
        if not good or re.search(r"[^!-~]", value):
            raise ValueError(f"{value!r} is no address like http://dreams.local:8000 or https://dreams.example.org")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("write the address without a name, a password, ? or #: the token is enough")
        return value

    @field_validator("token")
    @classmethod
    def _sendable(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip()
        if not re.fullmatch(r"[!-~]+", token):
            raise ValueError("it is no token: copy it again, it starts with dw_")
        return SecretStr(token)


def load(config: Path | None) -> tuple[Destination, str | None]:
    """The destination, and what the person should be warned of.

    Raises `BadSetting` when nothing says where to send, or what says it cannot be understood.
    """
    file = config or Folders().config
    written, mode = _read(file, must_be_there=config is not None)
    environment = _Environment().model_dump(exclude_none=True)  # goes before the file
    try:
        destination = Destination(**(written | environment))
    except ValidationError as error:
        raise BadSetting(_mistake(error, file, environment)) from None
    if "token" in written and mode & 0o077:
        return destination, f"Others on this machine can read the token in {file}. Run: chmod 600 {file}"
    return destination, None


def _mistake(error: ValidationError, file: Path, environment: dict[str, Any]) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "missing":
        return _NEEDED.format(file=file)
    name = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        return f"{file}: there is no setting {name!r}; only url and token."
    where = f"DREAMWEB_{name.upper()}" if name in environment else f"{file}: {name}"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}."


def _read(file: Path, *, must_be_there: bool) -> tuple[dict[str, Any], int]:
    try:
        with file.open("rb") as opened:
            return tomllib.load(opened), file.stat().st_mode
    except FileNotFoundError:
        if must_be_there:
            raise BadSetting(f"There is no file {file}.") from None
        return {}, 0
    except OSError as error:
        raise BadSetting(f"{file} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file} is not TOML: {error}.") from None
