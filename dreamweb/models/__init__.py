"""Lists every table, so that the migrations see them all."""

from dreamweb.models.account import Account, BrowserSession, Token
from dreamweb.models.attachment import Attachment
from dreamweb.models.capture import Capture, CaptureChunk
from dreamweb.models.embedding import Embedding
from dreamweb.models.entry import Entry, Tag
from dreamweb.models.job import Job, Lane
from dreamweb.models.motif import EntryMotif, Motif
from dreamweb.models.search import JournalWord, SavedSearch
from dreamweb.models.version import ModelCall, Version

__all__ = [
    "Account",
    "Attachment",
    "BrowserSession",
    "Capture",
    "CaptureChunk",
    "Embedding",
    "Entry",
    "EntryMotif",
    "Job",
    "JournalWord",
    "Lane",
    "ModelCall",
    "Motif",
    "SavedSearch",
    "Tag",
    "Token",
    "Version",
]
