"""A policy under load: what it is asked, what its tasks saw, and what that says about it."""
