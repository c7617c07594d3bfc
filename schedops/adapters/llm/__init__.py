"""Language models: one door to each."""
