"""Mutants of good policies: syntax, operators, and the choice of which to make."""
