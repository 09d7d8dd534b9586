"""Gives the shapes of what the API takes and answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from flask import request
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from dreamweb import entries, tags
from dreamweb.details import Changes, Details, Filters, Kind, Language, Line, Moment, Recall, Tag
from dreamweb.models.account import SCOPES, Token
from dreamweb.models.attachment import Attachment
from dreamweb.models.entry import Entry
from dreamweb.models.motif import EntryMotif
from dreamweb.storage import Storage
from dreamweb.words import say

EXAMPLE_ID = "550e8400-e29b-41d4-a716-446655440000"
_SAVED = f"{EXAMPLE_ID}_20250131T143022.mp3"
_MOMENT = "2025-01-31T14:30:22.123456Z"

Scope = Literal["upload", "read", "write"]
Timestamp = Annotated[
    datetime,
    PlainSerializer(lambda value: value.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), return_type=str),
    Field(examples=[_MOMENT]),
]


class Error(BaseModel):
    """What every error answers."""

    detail: str = Field(description="What happened and what can be done, for people.")
    error_code: str = Field(description="The kind of error, for programs.", examples=["NOT_FOUND"])
    request_id: str = Field(description="Stands in the server's log, too.")
    fields: dict[str, str] | None = Field(default=None, description="With UNPROCESSABLE: each wrong field and why.")
    missing: list[list[int]] | None = Field(
        default=None, description="With CHUNKS_MISSING: segment and number of each, of very many only the first."
    )


class UploadFields(Details):
    """What may be sent along with a recording, as form fields or in the query."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    filename: str | None = Field(default=None, description="The name to show, for raw bodies.")

    @field_validator("metadata", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError(say("it is not JSON")) from None


class NewEntry(Details):
    """A written entry."""

    model_config = ConfigDict(
        strict=True,  # JSON has numbers and truths of its own, unlike forms and queries
        json_schema_extra={
            "anyOf": [
                {"required": ["text"], "properties": {"text": {"type": "string", "pattern": r"\S"}}},
                {"required": ["title"], "properties": {"title": {"type": "string", "pattern": r"\S"}}},
                {"required": ["recall"], "properties": {"recall": {"const": "none"}}},
            ],
            "example": {
                "text": "I was flying over a quiet sea.",
                "title": "Over the sea",
                "tags": ["sea", "flying"],
                "mood": "calm",
                "lucidity": 2,
                "recall": "full",
                "language": "en",
            },
        },
    )

    @model_validator(mode="after")
    def _says_something(self) -> NewEntry:
        if self.text is None and self.title is None and self.recall != "none":
            raise ValueError(say('write a text or a title, or send "recall": "none" for a night without recall'))
        return self


class EntryChanges(Changes):
    """What to change; fields that are left out stay as they are, null empties those that may be empty."""

    model_config = ConfigDict(strict=True, json_schema_extra={"example": {"title": "Over the sea", "tags": ["sea"]}})


class PageQuery(BaseModel):
    """How many at a time, and from where."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=500, description="`next_cursor` of the page before.")


class ListQuery(Filters, PageQuery):
    """Which entries, and how many at a time."""


class DeleteQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    permanent: bool = Field(default=False, description="Delete for good, files too, instead of moving to the trash.")


class FileQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    download: bool = Field(default=False, description="Offer it for saving instead of showing or playing it.")


class AttachmentFields(BaseModel):
    """What may be sent along with an attachment, as form fields or in the query."""

    model_config = ConfigDict(extra="ignore")

    filename: str | None = Field(default=None, description="The name to show, for raw bodies.")
    client_id: UUID | None = Field(default=None, description="Made by the client; makes repeating safe.")


class TagQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prefix: Tag = Field(default="", description="How the tags begin.")
    limit: int = Field(default=20, ge=1, le=100)


class Uploaded(BaseModel):
    """A recording that is kept: its bytes and its row are on disk."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    original_filename: str = Field(examples=["dream_recording.mp3"])
    saved_filename: str = Field(examples=[_SAVED])
    file_path: str = Field(examples=[f"/data/audio/2025-01-31/{_SAVED}"])
    uploaded_at: Timestamp
    message: str = Field(examples=["File uploaded successfully"])
    content_type: str = Field(examples=["audio/mpeg"])
    size_bytes: int = Field(examples=[5242880])
    sha256: str
    duration_seconds: float = Field(examples=[312.4])
    status: str = Field(examples=["stored"])
    url: str = Field(examples=[f"https://host/entries/{EXAMPLE_ID}"])


class AttachmentOut(BaseModel):
    """A file that lies beside an entry."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    original_filename: str = Field(examples=["house_by_the_sea.jpg"])
    content_type: str = Field(examples=["image/jpeg"])
    size_bytes: int = Field(examples=[1048576])
    sha256: str
    created_at: Timestamp
    url: str = Field(examples=[f"https://host/api/v1/attachments/{EXAMPLE_ID}"])


class AnalysisOut(BaseModel):
    """What an engine has understood of an entry: hints, never the person's own words."""

    language: str
    title: str | None
    summary: str | None
    mood: str | None
    sentiment: float | None = Field(description="From -1, dark, to 1, bright.")
    lucidity: int | None = Field(description="From 0 to 5.")
    questions: list[str]
    engine: str = Field(examples=["server:llama3.2"])
    made_at: str = Field(examples=[_MOMENT])


class MotifOut(BaseModel):
    """A motif of an entry, and the exact words in its text that justify it."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    type: Literal["symbol", "person", "place", "feeling", "theme", "action"]
    name: str = Field(examples=["sea"])
    words: list[str] = Field(examples=[["sea", "waves"]])


class EntryOut(BaseModel):
    """An entry. The fields of the recording are null for a written one."""

    id: UUID = Field(examples=[EXAMPLE_ID])
    original_filename: str | None = Field(examples=["dream_recording.mp3"])
    saved_filename: str | None = Field(examples=[_SAVED])
    file_path: str | None = Field(examples=[f"/data/audio/2025-01-31/{_SAVED}"])
    uploaded_at: Timestamp
    content_type: str | None = Field(examples=["audio/mpeg"])
    size_bytes: int | None = Field(examples=[5242880])
    sha256: str | None
    duration_seconds: float | None = Field(examples=[312.4])
    status: Literal["stored", "processing", "ready", "failed"]
    url: str = Field(examples=[f"https://host/entries/{EXAMPLE_ID}"])
    kind: Kind
    title: str | None
    text: str | None
    transcription: str | None
    cleaned_text: str | None
    language: Language | None
    dreamed_at: Timestamp
    created_at: Timestamp
    updated_at: Timestamp
    deleted_at: Timestamp | None
    tags: list[str]
    motifs: list[MotifOut]
    analysis: AnalysisOut | None
    mood: str | None
    lucidity: int | None
    recall: Recall | None
    metadata: dict[str, Any]
    private: bool
    cut_off: bool = Field(description="Whether more of the recording may still come: its client has gone silent.")
    attachments: list[AttachmentOut]
    client_id: UUID | None
    synced_to_notion: bool
    notion_page_id: str | None


class EntryPage(BaseModel):
    items: list[EntryOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


class UsedTag(BaseModel):
    name: str = Field(examples=["sea"])
    entries: int = Field(description="How many entries outside the trash have it.", examples=[7])


class TagList(BaseModel):
    items: list[UsedTag]
    next_cursor: None = Field(description="Always null: there is one page.")


class NewToken(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"example": {"name": "Phone", "scopes": ["upload"]}}
    )

    name: Line = Field(min_length=1, max_length=100, description="What will carry it.")
    scopes: list[Scope] = Field(default=["write"], min_length=1, description="`upload` is enough for a Shortcut.")
    expires_at: Moment | None = None

    @field_validator("scopes")
    @classmethod
    def _in_order(cls, value: list[Scope]) -> list[Scope]:
        return sorted(set(value), key=SCOPES.index)


class TokenOut(BaseModel):
    id: UUID
    name: str
    scopes: list[Scope]
    created_at: Timestamp
    last_used_at: Timestamp | None
    expires_at: Timestamp | None


class TokenMade(TokenOut):
    token: str = Field(description="The token itself: shown this once, then never again.", examples=["dw_..."])


class TokenList(BaseModel):
    items: list[TokenOut]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


class Health(BaseModel):
    status: Literal["healthy", "unhealthy"]
    database: Literal["connected", "disconnected"]
    storage: Literal["writable", "not writable"]
    timestamp: Timestamp
    version: str


def uploaded(entry: Entry, storage: Storage) -> dict[str, Any]:
    """What an upload answers."""
    return _dump(Uploaded, _entry(entry, storage) | {"message": "File uploaded successfully"})


def entry_out(entry: Entry, storage: Storage) -> dict[str, Any]:
    return _dump(EntryOut, _entry(entry, storage))


def entry_page(page: entries.Page, storage: Storage) -> dict[str, Any]:
    return {"items": [entry_out(entry, storage) for entry in page.items], "next_cursor": page.next_cursor}


def attachment_out(attachment: Attachment) -> dict[str, Any]:
    return _dump(AttachmentOut, _attachment(attachment))


def tag_list(found: Sequence[tags.UsedTag]) -> dict[str, Any]:
    return {"items": [{"name": tag.name, "entries": tag.entries} for tag in found], "next_cursor": None}


def token_out(token: Token) -> dict[str, Any]:
    return _dump(TokenOut, _token(token))


def token_made(token: Token, secret: str) -> dict[str, Any]:
    return _dump(TokenMade, _token(token) | {"token": secret})


def _dump(model: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    # Ours, checked when it was written: checking it again would only cost time.
    return model.model_construct(**{name: values[name] for name in model.model_fields}).model_dump(mode="json")


def _token(token: Token) -> dict[str, Any]:
    values = {name: getattr(token, name) for name in ("id", "name", "created_at", "last_used_at", "expires_at")}
    return values | {"scopes": token.scopes.split(",")}


_DERIVED = {"file_path", "url", "tags", "motifs", "analysis", "attachments", "metadata"}
_COLUMNS = tuple(name for name in EntryOut.model_fields if name not in _DERIVED)


def _entry(entry: Entry, storage: Storage) -> dict[str, Any]:
    values = {name: getattr(entry, name) for name in _COLUMNS}
    return values | {
        "file_path": str(storage.path(entry.file_path)) if entry.file_path else None,
        "url": f"{request.url_root}entries/{entry.id}",
        "tags": [tag.name for tag in entry.tags],
        "motifs": [_motif(link) for link in entry.motifs if not link.motif.hidden],
        "analysis": AnalysisOut.model_construct(**entry.analysis) if entry.analysis else None,
        "attachments": [AttachmentOut.model_construct(**_attachment(each)) for each in entry.attachments],
        "metadata": entry.details,
    }


def _motif(link: EntryMotif) -> MotifOut:
    motif = link.motif
    return MotifOut.model_construct(id=motif.id, type=motif.type, name=motif.name, words=link.words)


_ATTACHMENT_COLUMNS = tuple(name for name in AttachmentOut.model_fields if name != "url")


def _attachment(attachment: Attachment) -> dict[str, Any]:
    values = {name: getattr(attachment, name) for name in _ATTACHMENT_COLUMNS}
    return values | {"url": f"{request.url_root}api/v1/attachments/{attachment.id}"}
