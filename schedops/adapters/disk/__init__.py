"""Files that appear whole or not at all: caches, locks, run directories."""
