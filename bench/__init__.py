"""Measures how fast DreamWeb is on this machine: `python -m bench`."""
