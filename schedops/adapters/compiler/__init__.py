"""Policies to objects: clang in a directory of its own, parameters set in the result."""
