"""The benchmark of policies as values: which cells there are, how they are joined, what they are worth."""
