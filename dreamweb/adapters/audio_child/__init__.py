"""Runs in a process of its own and looks at foreign recordings there; nothing outside may import it."""
