"""Language models: one door to each."""

KEY_VARIABLE = "ANTHROPIC_API_KEY"
