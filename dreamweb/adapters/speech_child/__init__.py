"""Runs in a process of its own and turns speech into text there; nothing outside may import it."""
