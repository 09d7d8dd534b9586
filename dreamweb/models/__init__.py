"""Lists every table, so that the migrations see them all."""

from dreamweb.models.account import Account, Token
from dreamweb.models.entry import Entry, Tag

__all__ = ["Account", "Entry", "Tag", "Token"]
