"""Promises about settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dreamweb import config
from dreamweb.errors import BadSetting


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "eighty", "PORT"),
        ("PORT", "70000", "PORT"),
        ("MAX_FILE_SIZE_MB", "0", "MAX_FILE_SIZE_MB"),
        ("MAX_FILE_SIZE_MB", "lots", "MAX_FILE_SIZE_MB"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL"),
        ("DATABASE_URL", "mysql://a/b", "DATABASE_URL"),
        ("DATABASE_URL", "nonsense", "DATABASE_URL"),
        ("DATABASE_PORT", "x", "DATABASE_PORT"),
        ("ALLOWED_AUDIO_FORMATS", "mp3,exe", "ALLOWED_AUDIO_FORMATS"),
        ("ALLOWED_AUDIO_FORMATS", ",", "ALLOWED_AUDIO_FORMATS"),
        ("CORS_ORIGINS", "dreams.example", "CORS_ORIGINS"),
        ("CORS_ORIGINS", "https://dreams.example/path", "CORS_ORIGINS"),
        ("WEB_THREADS", "0", "WEB_THREADS"),
        ("DB_POOL_SIZE", "-1", "DB_POOL_SIZE"),
        ("SECRET_KEY", "short", "SECRET_KEY"),
        ("API_TOKEN", "a bit too short", "API_TOKEN"),
        ("TRUSTED_PROXY", "banana", "TRUSTED_PROXY"),
        ("DATABASE_URL", "sqlite://", "DATABASE_URL"),
        ("DATABASE_URL", "sqlite:///relative.sqlite3", "DATABASE_URL"),
        ("CORS_ORIGINS", "https://*.example.org", "CORS_ORIGINS"),
        ("DEBUG", "perhaps", "DEBUG"),
        ("ADMIN_USERNAME", "ana", "ADMIN_PASSWORD"),
        ("ADMIN_PASSWORD", "correct horse", "ADMIN_USERNAME"),
    ],
)
def test_a_wrong_value_is_one_sentence_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as caught:
        config.load()
    assert said in caught.value.detail
    assert caught.value.detail.endswith(".")
    assert "\n" not in caught.value.detail


def test_a_secret_is_not_repeated_when_it_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "hush")
    with pytest.raises(BadSetting) as caught:
        config.load()
    assert "hush" not in caught.value.detail


def test_the_environment_goes_before_the_file_and_empty_means_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=8100\nMAX_FILE_SIZE_MB=7\nCORS_ORIGINS=\nPOSTGRES_PASSWORD=of-another\n")
    monkeypatch.setenv("PORT", "8200")
    settings = config.load()
    assert (settings.port, settings.max_file_size_mb, settings.cors_origins) == (8200, 7, ())


def test_without_settings_everything_lies_in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = config.load()
    checkout = Path(config.__file__).parent.parent
    assert settings.data_dir == checkout / "instance"
    assert settings.audio_root == checkout / "instance" / "audio"
    assert str(settings.database) == f"sqlite:///{checkout / 'instance' / 'dreamweb.sqlite3'}"


def test_an_installed_package_keeps_its_data_with_the_person_and_never_beside_the_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(config, "_CHECKOUT", tmp_path / "site-packages")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert config.load().data_dir == tmp_path / "share" / "dreamweb"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config.load().data_dir == tmp_path / ".local" / "share" / "dreamweb"


def test_postgresql_may_be_named_by_address_or_by_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        monkeypatch.setenv("DATABASE_URL", f"{scheme}://u:p@h:5433/n")
        assert config.load().database.render_as_string(hide_password=False) == "postgresql+psycopg://u:p@h:5433/n"
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATABASE_HOST", "h")
    monkeypatch.setenv("DATABASE_PASSWORD", "p@ss/w")
    url = config.load().database
    assert (url.host, url.port, url.username, url.password, url.database) == (
        "h",
        5432,
        "dreamweb",
        "p@ss/w",
        "dreamweb",
    )


def test_the_secret_key_is_made_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = config.load(data_dir=tmp_path / "new")
    key = config.secret_key(settings)
    assert len(key) >= 48
    assert config.secret_key(settings) == key
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o077 == 0
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]
    given = config.load(data_dir=tmp_path, secret_key="x" * 16)
    assert config.secret_key(given) == "x" * 16


def test_a_data_folder_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadSetting, match=r"^DATA_DIR: "):
        config.secret_key(config.load(data_dir=tmp_path / "file" / "below"))
