"""Gives small files of every kind that may be attached to an entry, and of kinds that may not."""

from __future__ import annotations

import struct
import zlib

from tests.conftest import SAMPLES


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data) + 8) + kind + data


def _sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0))
    + _chunk(b"IDAT", zlib.compress((b"\0" + b"\x40\x80\xff" * 2) * 2))
    + _chunk(b"IEND", b"")
)
JPG = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffdb0043") + bytes(80) + b"\xff\xd9"
GIF = b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 300 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)
MP4 = _sample("en-key-video.mp4")
ZIP = b"PK\x03\x04" + bytes(40) + b"PK\x01\x02" + bytes(42) + b"PK\x05\x06" + bytes(18)

KINDS: dict[str, tuple[bytes, str]] = {
    "jpg": (JPG, "image/jpeg"),
    "png": (PNG, "image/png"),
    "gif": (GIF, "image/gif"),
    "webp": (b"RIFF\x1a\0\0\0WEBPVP8L" + bytes(14), "image/webp"),
    "avif": (_box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + bytes(40), "image/avif"),
    "heic": (_box(b"ftyp", b"heic\0\0\0\0mif1heic") + bytes(40), "image/heic"),
    "pdf": (PDF, "application/pdf"),
    "mp4": (MP4, "video/mp4"),
    "mov": (MP4.replace(b"isom", b"qt  ", 1), "video/quicktime"),
    "mov of old": (MP4[36:], "video/quicktime"),
    "webm": (_sample("en-key-video.webm"), "video/webm"),
    "webm of sound": (_sample("sl-chromium.webm"), "audio/webm"),
    "mp3": (_sample("sl-hisa.mp3"), "audio/mpeg"),
    "m4a": (_sample("en-garden.m4a"), "audio/mp4"),
    "m4a of pieces": (_sample("en-lighthouse-fragmented.m4a"), "audio/mp4"),
    "ogg": (_sample("sl-hisa.ogg"), "audio/ogg"),
    "wav": (_sample("sl-vlak.wav"), "audio/wav"),
    "flac": (_sample("en-key.flac"), "audio/flac"),
    "aac": (_sample("en-lighthouse.aac"), "audio/aac"),
    "txt": ("Hiša ob morju 🌊\r\n\tmodra vrata\n".encode(), "text/plain"),
    "txt with a mark": (b"\xef\xbb\xbfHello", "text/plain"),
}
"""Bytes and content type, by extension."""

PAGES: dict[str, bytes] = {
    "page.html": b"<!doctype html><script>alert(1)</script>",
    "picture.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "feed.xml": b"<?xml version='1.0'?><x/>",
    "run.js": b"fetch('/api/v1/entries', {method: 'DELETE'})",
    "run.vbs": b'CreateObject("WScript.Shell").Run "calc"',
    "run.ps1": b"Start-Process calc",
    "run.bat": b"del /q *",
    "photo.jpg": b"<script>alert(1)</script>",
}
"""Texts that a computer could take for more, by the names under which they would be dangerous."""

REFUSED: dict[str, bytes] = {
    "ELF": b"\x7fELF\x02\x01\x01" + bytes(500),
    "a Windows program": b"MZ\x90\x00\x03" + bytes(500),
    "a Windows program like an MP4": b"MZ\0\0ftypisom" + bytes(500),
    "a DOS program of printable bytes": b"MZ harmless",
    "Mach-O": b"\xcf\xfa\xed\xfe\x07\0\0\1" + bytes(500),
    "Mach-O of 32 bits": b"\xfe\xed\xfa\xce" + bytes(500),
    "a fat Mach-O or a Java class": b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(500),
    "a shell script": b"#!/bin/sh\nrm -rf ~\n",
    "a Python script": b"#! /usr/bin/env python3\nprint()\n",
    "a shell script behind a mark": b"\xef\xbb\xbf#!/bin/sh\n",
    "a shell script behind spaces": b"\n  #!/bin/sh\n",
    "a batch file": b"@echo off\r\ndel *\r\n",
    "a batch file in capitals": b"\r\n@ECHO OFF\r\n",
    "a desktop entry": b"[Desktop Entry]\nExec=rm\n",
    "a desktop entry behind a comment": b"# x\n\n# y\n[Desktop Entry]\nExec=rm\n",
    "a link to somewhere": b"[InternetShortcut]\r\nURL=file:///c:/x.exe\r\n",
    "a registry": b"Windows Registry Editor Version 5.00\r\n",
    "a Windows shortcut": b"L\0\0\0\x01\x14\x02\0" + bytes(100),
    "an installer": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
    "a zip, jar or apk": ZIP,
    "a zip of nothing": b"PK\x05\x06" + bytes(18),
    "a picture that is a jar": PNG + ZIP,
    "a PDF that is a jar with a comment": PDF + ZIP[:-2] + b"\x03\x00end",
    "WebAssembly": b"\0asm\1\0\0\0",
    "Android's program": b"dex\n035\0" + bytes(100),
    "a 7z": b"7z\xbc\xaf\x27\x1c" + bytes(100),
    "a gzip": b"\x1f\x8b\x08" + bytes(100),
    "a script that begins like a GIF": b"GIF89a=1;\0\0\0\0alert(1)//",
    "a text with controls": b"\x1b]0;evil\x07",
    "a text with NUL": b"a\0b",
    "a text that is no UTF-8": b"\xe8\x9a",
    "a text in UTF-16": "Sanje".encode("utf-16"),
    "a Matroska film": b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska" + bytes(40),
    "a film without anything": _box(b"mdat", bytes(50)),
    "a later piece of a recording": _sample("chromium-1.webm.part"),
    "a PDF behind something": b"\0\0\0\0" + PDF,
    "zeros": bytes(1000),
}
