"""Holds the steps from a recording to a dream that can be searched, one file each."""
