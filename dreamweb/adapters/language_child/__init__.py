"""Runs in a process of its own: reads texts, by our own rules or by asking language models."""
