"""The outside world, one port each; no decisions here."""
