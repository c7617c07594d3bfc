"""Bad input in large numbers: made from a seed, and watched while it is read."""
