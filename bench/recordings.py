"""Makes recordings of a given size, with real packets in them."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import av

_RATE = 48_000
_FRAME = 960
"""Samples in an Opus packet of 20 ms, as browsers make them."""


def wav(path: Path, size: int) -> Path:
    """Noise, 16 bits, stereo."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(_RATE)
        for start in range(0, size, 2**20):
            file.writeframes(os.urandom(min(2**20, size - start)))
    return path


def speech(path: Path, sample: Path, seconds: int) -> Path:
    """A spoken sentence over and over, with a pause of a second behind it: 16 bits, mono, 16 kHz."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(sample)) as spoken:
        frames = [part for frame in spoken.decode(audio=0) for part in resampler.resample(frame)]
    said = b"".join(bytes(frame.planes[0])[: 2 * frame.samples] for frame in frames) + bytes(2 * 16_000)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        for _ in range(round(seconds / (len(said) / 32_000))):
            file.writeframes(said)
    return path


def webm(path: Path, size: int) -> Path:
    """Opus at 64 kbit/s as Chromium records it; ten seconds of packets, over and over with the clock running on."""
    with av.open(str(path), "w", format="webm") as file:
        stream = file.add_stream("libopus", rate=_RATE)
        stream.bit_rate = 64_000
        packets = []
        for number in range(500):
            frame = av.AudioFrame(format="s16", layout="stereo", samples=_FRAME)
            frame.sample_rate, frame.pts = _RATE, number * _FRAME
            frame.planes[0].update(os.urandom(_FRAME * 4))
            packets += stream.encode(frame)
        written = moment = 0
        while written < size:
            for packet in packets:
                packet.stream, packet.time_base = stream, stream.codec_context.time_base
                packet.pts = packet.dts = moment
                packet.duration = _FRAME
                moment += _FRAME
                written += packet.size + 8
                copied = av.Packet(bytes(packet))
                copied.stream, copied.time_base = stream, stream.codec_context.time_base
                copied.pts = copied.dts = packet.pts
                copied.duration = _FRAME
                file.mux_one(copied)
    return path
