"""The nouns: frozen, keyword-only values without behaviour beyond their invariants. No I/O here."""
