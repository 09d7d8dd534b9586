"""Tells from what a browser says of itself how a person would call it."""

from __future__ import annotations

from flask_babel import gettext

# In this order: most browsers also claim to be those that follow, and most systems that are not Linux say so, too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_PHONES = ("iPhone", "iPad", "Android")


def name(user_agent: str) -> str:
    """Like `Firefox on Linux`; the beginning of what it says when it is none we know."""
    browser, system = _first(_BROWSERS, user_agent), _first(_SYSTEMS, user_agent)
    if browser and system:
        return str(gettext("%(browser)s on %(system)s", browser=browser, system=system))
    return browser or system or user_agent[:40].strip() or str(gettext("A browser that does not say its name"))


def is_phone(user_agent: str) -> bool:
    return _first(_SYSTEMS, user_agent) in _PHONES


def _first(table: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((known for needle, known in table if needle in user_agent), None)
