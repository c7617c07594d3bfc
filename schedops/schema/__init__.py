"""Documents to values and back: strict parsing, JSON Schema, decoding; every problem of a document at once."""
