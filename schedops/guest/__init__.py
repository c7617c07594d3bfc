"""C sources of what runs inside the micro-VM: one static binary, `/init`. Nothing here is imported on the host."""
