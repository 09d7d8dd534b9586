"""Understands texts in Slovenian and English by rules and word lists of our own, without any model."""
