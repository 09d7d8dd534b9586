"""DreamWeb: a self-hosted voice dream journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["create_app"]


def create_app(**settings: Any) -> Flask:
    """Build the Flask application; keyword arguments take precedence over the environment and `.env`.

    Raises `dreamweb.errors.BadSetting` when a setting has a value we cannot start with.
    """
    # Imported here so that the child process that decodes audio, which lives in this package, does not load Flask.
    from dreamweb.app import build
    from dreamweb.config import load

    return build(load(**settings))
