"""Holds what people do with the pipeline: repeat and cancel its steps, try engines, and see what waits."""
