"""Promises about log lines."""

from __future__ import annotations

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamweb import log


def line_of(message: str, **fields: object) -> str:
    record = logging.LogRecord("dreamweb.test", logging.INFO, "", 0, message, None, None)
    record.fields = fields
    return log._Formatter().format(record)


def test_a_line_has_the_shape_of_the_contract() -> None:
    line = line_of("File upload request received", ip="127.0.0.1", filename="my dream.mp3", size=12)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| INFO \| dreamweb\.test \| File upload request received \| "
        r'ip=127\.0\.0\.1 filename="my dream\.mp3" size=12',
        line,
    )


def test_the_request_id_stands_first() -> None:
    reset = log.request_id.set("abc")
    try:
        assert line_of("x", size=1).endswith("| x | request_id=abc size=1")
    finally:
        log.request_id.reset(reset)


@given(st.text())
def test_no_value_can_forge_a_line_or_a_field(value: str) -> None:
    line = line_of("x", filename=value, size=1)
    assert "\n" not in line
    assert "\r" not in line
    assert line.endswith(" size=1")
    assert " | x | filename=" in line


def test_what_is_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure("WARNING")
    logger = log.Logger("dreamweb.test")
    logger.info("quiet")
    logger.warning("loud", a=1)
    assert [line.split(" | ", 1)[1] for line in capsys.readouterr().err.splitlines()] == [
        "WARNING | dreamweb.test | loud | a=1"
    ]
