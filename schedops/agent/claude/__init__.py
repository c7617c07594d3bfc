"""The planner that asks Claude: documents and a few tools in, a candidate out; no shell, no key, no host."""
