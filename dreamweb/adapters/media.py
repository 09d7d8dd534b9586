"""Tells by its bytes what a file is that somebody attaches: a picture, a document, a video, a sound, a plain text."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from dreamweb.adapters import formats
from dreamweb.errors import EmptyFile, NotAttachable
from dreamweb.words import say

FORMATS: dict[str, str] = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "webp": "image/webp",
    "avif": "image/avif",
    "heic": "image/heic",
    "pdf": "application/pdf",
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "flac": "audio/flac",
    "aac": "audio/aac",
    "txt": "text/plain",
}

_SOUNDS = ("mp3", "ogg", "wav", "flac", "aac")

# What a file may be called without its kind's own extension being added when it is saved: nothing that a computer
# would start when somebody clicks on it, and no web page.
_ALSO_CALLED = {
    "jpg": {"jpeg", "jpe", "jfif"},
    "heic": {"heif", "hif"},
    "mp4": {"m4v", "3gp"},
    "mov": {"qt"},
    "webm": {"weba"},
    "m4a": {"m4b", "mp4"},
    "ogg": {"oga", "opus"},
    "wav": {"wave"},
    "txt": {"text", "md", "markdown", "csv", "tsv", "log", "json", "srt", "vtt", "org", "rst", "tex", "yml", "yaml"},
}

_HEAD = 4096
_CHUNK = 64 * 1024
_MOST_OF_MOOV = 4 * 1024 * 1024

_PROGRAMS = (
    b"\x7fELF",
    b"MZ",  # Windows and DOS
    b"\xfe\xed\xfa\xce",  # Mach-O, in both orders and sizes; and fat ones, which begin like Java classes
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",
    b"PK\x03\x04",  # zip, and with it jar, apk and office documents
    b"PK\x05\x06",
    b"PK\x07\x08",
    b"dex\n",
    b"\0asm",
    b"L\0\0\0\x01\x14\x02\0",  # a Windows shortcut
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # what old office documents and Windows installers are made of
)
_SCRIPT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*"
    rb"(?:#!|@\s*(?:echo|rem|setlocal|cls|chcp|cmd|powershell)\b|\[InternetShortcut\]|Windows Registry Editor"
    rb"|(?:#[^\n]*\n\s*)*\[Desktop Entry\])",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
_PDF = re.compile(rb"%PDF-[12]\.\d")
_WEBM = re.compile(rb"\x42\x82[\x40-\x8f][\x00-\x08]{0,7}webm")  # the DocType of RFC 8794, 11.2.9
_VIDEO_CODEC = re.compile(rb"\x86[\x83-\x9f]V_")  # the CodecID of a video track, RFC 9559, 5.1.4.1.21
_VIDEO_TRACK = re.compile(rb"hdlr.{8}vide", re.DOTALL)  # ISO/IEC 14496-12, 8.4.3

_AVIF = {b"avif", b"avis"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_M4A = {b"M4A ", b"M4B ", b"M4P "}
_MP4 = {b"isom", b"mp41", b"mp42", b"avc1", b"M4V ", b"MSNV", b"dash", b"3gp4", b"3gp5", b"3gp6", b"3gp7"}
_MP4 |= {b"iso%d" % number for number in range(2, 10)}
_QUICKTIME_STARTS = {b"moov", b"mdat", b"wide"}


@dataclass(frozen=True)
class Medium:
    """What a file is."""

    extension: str
    content_type: str


def recognise(fd: int, *, allowed: frozenset[str] = frozenset(FORMATS)) -> Medium:
    """What an open regular file is; its offset is not moved.

    Raises `EmptyFile`; `NotAttachable` for what can be started as a program, is no kind we know, or not an allowed one.
    """
    size = os.fstat(fd).st_size
    if size == 0:
        raise EmptyFile(say("The file is empty. Choose it again."))
    head = os.pread(fd, _HEAD, 0)
    if head.startswith(_PROGRAMS) or _SCRIPT.match(head) or _is_archive_too(fd, size):
        raise NotAttachable(
            say("This is a program or an archive, and those are not kept here. Attach what is in it instead.")
        )
    extension = _picture(head) or _document(head) or _film(fd, head, size) or _sound(fd) or _text(fd)
    if extension is None or extension not in allowed:
        raise NotAttachable(
            say("This kind of file is not kept here. Attach one of these: %(kinds)s.", kinds=_listed(allowed))
        )
    only_sound = extension == "webm" and not _VIDEO_CODEC.search(os.pread(fd, _CHUNK, 0))
    return Medium(extension, "audio/webm" if only_sound else FORMATS[extension])


def shown_by_browsers(content_type: str) -> bool:
    """Whether browsers show or play it by themselves; a text is not among it, because it may look like a web page."""
    return content_type not in {FORMATS["heic"], FORMATS["txt"]}


def safe_name(filename: str, extension: str) -> str:
    """The name under which a computer may save it: with an extension that says what it is."""
    said = filename.rpartition(".")[2].lower() if "." in filename else ""
    return filename if said in {extension} | _ALSO_CALLED.get(extension, set()) else f"{filename}.{extension}"


def _listed(allowed: frozenset[str]) -> str:
    return ", ".join(name.upper() for name in FORMATS if name in allowed)


def _is_archive_too(fd: int, size: int) -> bool:
    """Whether a zip, which is read from its end, lies behind something else: a picture that Java would start."""
    tail = os.pread(fd, 65_557, max(0, size - 65_557))
    at = tail.rfind(b"PK\x05\x06")
    while at != -1:
        # APPNOTE.TXT, 4.3.16: 22 bytes, the last two of them the length of the comment that ends the file.
        if len(tail) >= at + 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


def _picture(head: bytes) -> str | None:
    if head[:3] == b"\xff\xd8\xff" and head[3:4] >= b"\xc0":
        return "jpg"
    if head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR":
        return "png"
    if head[:6] in {b"GIF87a", b"GIF89a"} and _goes_on_like_a_gif(head):
        return "gif"
    if head[:4] == b"RIFF" and head[8:15] == b"WEBPVP8" and head[15:16] in {b" ", b"L", b"X"}:
        return "webp"
    return None


def _goes_on_like_a_gif(head: bytes) -> bool:
    """`GIF89a=1` is a script to whoever wants to see one; a picture has a block behind its colours."""
    if len(head) < 13:
        return False
    colours = 3 << (head[10] & 7) + 1 if head[10] & 0x80 else 0
    return head[13 + colours : 14 + colours] in {b"!", b",", b";"}


def _document(head: bytes) -> str | None:
    return "pdf" if _PDF.match(head) else None


def _film(fd: int, head: bytes, size: int) -> str | None:
    """Also pictures and sounds that are kept in the same boxes."""
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if _WEBM.search(head) else None
    if head[4:8] in _QUICKTIME_STARTS:
        return "mov" if _moov(fd, size) is not None else None
    length = int.from_bytes(head[:4], "big")
    if head[4:8] != b"ftyp" or not 16 <= length <= min(size, _HEAD):
        return None
    major = head[8:12]
    brands = {major} | {head[at : at + 4] for at in range(16, length - 3, 4)}
    if major in _AVIF | _HEIC:
        return "avif" if brands & _AVIF else "heic"
    if major == b"qt  ":
        return "mov"
    if major in _M4A:
        return "m4a"
    if not brands & _MP4:
        return None
    moov = _moov(fd, size)
    return "mp4" if moov is None or _VIDEO_TRACK.search(moov) else "m4a"


def _moov(fd: int, size: int) -> bytes | None:
    """What the file says of its tracks."""
    for kind, start, length in _boxes(fd, size):
        if kind == b"moov":
            return os.pread(fd, min(length, _MOST_OF_MOOV), start)
    return None


def _boxes(fd: int, size: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, place and length of the outermost boxes, as far as they make sense (ISO/IEC 14496-12, 4.2)."""
    at = 0
    for _ in range(10_000):
        head = os.pread(fd, 16, at)
        length, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - at
        if len(head) < 8 or length < 8 or at + length > size:
            return
        yield kind, at, length
        at += length


def _sound(fd: int) -> str | None:
    extension, _ = formats.recognise(fd)
    return extension if extension in _SOUNDS else None


def _text(fd: int) -> str | None:
    """Text in UTF-8 without control characters. A web page is one, too, and never served as anything else."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset, more = 0, True
    try:
        while more:
            chunk = os.pread(fd, _CHUNK, offset)
            offset, more = offset + len(chunk), bool(chunk)
            if _CONTROL.search(decoder.decode(chunk, final=not more)):
                return None
    except UnicodeDecodeError:
        return None
    return "txt"
