"""Runs in a process of its own: makes vectors of texts, by a model on this machine or by asking a server."""
