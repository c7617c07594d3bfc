"""Documents in, one Evidence out: which documents a proposal rests on, and their digests. Pure."""
