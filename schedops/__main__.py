"""``python -m schedops``, and what ``schedops`` starts."""

import sys

from schedops.cli.hint_exec import become_launcher, wants_launcher


def main() -> None:
    """A job's launcher at once, everything else by the command line."""
    if wants_launcher(sys.argv[1:]):
        become_launcher(sys.argv[1:])
    from schedops.cli.main import main as command_line  # noqa: PLC0415 - a launcher does without

    command_line()


if __name__ == "__main__":
    main()
