"""Gives the shapes of what the API takes and answers about captures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from dreamweb import captures
from dreamweb.api.schemas import EXAMPLE_ID, Timestamp
from dreamweb.captures import MAX_CHUNKS, MAX_SEGMENTS, Chunk
from dreamweb.details import Details, Moment
from dreamweb.finishing import Times
from dreamweb.models.capture import Capture
from dreamweb.words import say


class ChunkQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    segment: int = Field(default=0, ge=0, le=MAX_SEGMENTS - 1, description="Which run of the recorder, from 0.")


class ChunkOut(BaseModel):
    """A chunk that is on disk."""

    client_id: UUID = Field(examples=[EXAMPLE_ID])
    segment: int
    n: int
    size_bytes: int = Field(examples=[15360])
    sha256: str


class SegmentOut(BaseModel):
    """What is here of one run of the recorder."""

    segment: int
    content_type: str = Field(examples=["audio/webm;codecs=opus"])
    chunks: list[int] = Field(examples=[[0, 1, 2]])
    size_bytes: int = Field(examples=[46080])


class CaptureOut(BaseModel):
    """A recording that is sent while it is spoken. `cut_off`: its client went silent, and may still send the rest."""

    client_id: UUID = Field(examples=[EXAMPLE_ID])
    state: Literal["open", "finished", "cut_off"]
    segments: list[SegmentOut]
    entry_id: UUID | None
    created_at: Timestamp
    updated_at: Timestamp


class CaptureList(BaseModel):
    items: list[CaptureOut]
    next_cursor: None = Field(description="Always null: there is one page.")


class SegmentEnd(BaseModel):
    """How many chunks one run of the recorder has, and when it was."""

    model_config = ConfigDict(extra="forbid", strict=True)

    segment: int = Field(ge=0, le=MAX_SEGMENTS - 1)
    chunks: int = Field(ge=0, le=MAX_CHUNKS)
    started_at: Moment | None = None
    ended_at: Moment | None = None


def _each_once(segments: list[SegmentEnd]) -> list[SegmentEnd]:
    if len({segment.segment for segment in segments}) < len(segments):
        raise ValueError(say("a segment is named twice"))
    if not any(segment.chunks for segment in segments):
        raise ValueError(say("there is no chunk in any of them"))
    return segments


class Finish(Details):
    """All chunks of a recording are sent; what may be said of it beside."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "example": {
                "segments": [{"segment": 0, "chunks": 7}],
                "started_at": "2025-01-31T04:10:00Z",
                "ended_at": "2025-01-31T04:10:20Z",
            }
        },
    )

    segments: Annotated[list[SegmentEnd], AfterValidator(_each_once)] = Field(min_length=1, max_length=MAX_SEGMENTS)
    started_at: Moment | None = None
    ended_at: Moment | None = None
    accept_gaps: bool = Field(default=False, description="Whether to make an entry although chunks are missing.")


def times(segment: SegmentEnd) -> Times:
    """When a segment was recorded, as it is kept."""
    return (
        segment.started_at.isoformat() if segment.started_at else None,
        segment.ended_at.isoformat() if segment.ended_at else None,
    )


def chunk_out(client_id: UUID, chunk: Chunk) -> dict[str, Any]:
    return {
        "client_id": str(client_id),
        "segment": chunk.segment,
        "n": chunk.n,
        "size_bytes": chunk.size_bytes,
        "sha256": chunk.sha256,
    }


def capture_out(capture: Capture) -> dict[str, Any]:
    return CaptureOut(
        client_id=capture.client_id,
        state=capture.state,  # type: ignore[arg-type]
        segments=[SegmentOut(**segment) for segment in captures.contents(capture)],
        entry_id=capture.entry_id,
        created_at=capture.created_at,
        updated_at=capture.updated_at,
    ).model_dump(mode="json")


def capture_list(found: Sequence[Capture]) -> dict[str, Any]:
    return {"items": [capture_out(capture) for capture in found], "next_cursor": None}
