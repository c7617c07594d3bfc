"""``python -m schedops``."""

from schedops.cli.main import main

if __name__ == "__main__":
    main()
