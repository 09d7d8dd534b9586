"""Lists every table, so that the migrations see them all."""

from dreamweb.models.account import Account, BrowserSession, Token
from dreamweb.models.attachment import Attachment
from dreamweb.models.capture import Capture, CaptureChunk
from dreamweb.models.entry import Entry, Tag

__all__ = ["Account", "Attachment", "BrowserSession", "Capture", "CaptureChunk", "Entry", "Tag", "Token"]
