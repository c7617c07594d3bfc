"""C sources of small programs that run on the user's own machine; ``schedops.adapters.host_programs`` builds them."""
