"""The command line: parse, call, report, exit code. One module per command."""
