"""The machine at hand as a place to measure: the program of guests on the host's own kernel, and everything undone."""
