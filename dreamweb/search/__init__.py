"""Finds entries by what was typed, in an index that the database keeps, and those that are like one."""
