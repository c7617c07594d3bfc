"""Documents in, a pull request out: identity, changed files, body, picture. Only ``stage`` knows ports."""
