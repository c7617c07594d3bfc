"""Runs as a trace for ui.perfetto.dev: its own protobuf, or the JSON of Chrome that it reads too."""
