"""Holds what is outside: each module here turns foreign failure into our own errors, and knows no tables."""
