"""The JSON interface at `/api/v1`: parses, calls one function, renders."""

from flask import current_app

from dreamweb.tools import Tools


def tools() -> Tools:
    """The storage and the adapters of the running application."""
    found: Tools = current_app.extensions["dreamweb"]
    return found
