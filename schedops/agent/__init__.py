"""Profile, hints and the library in, one Plan out: a hypothesis with the effect it predicts."""
