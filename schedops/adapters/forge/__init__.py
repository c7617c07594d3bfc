"""git: the repository of the user, read, and the local forge beside it."""
