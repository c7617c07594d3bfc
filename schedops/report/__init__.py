"""Values to words. Pure."""
