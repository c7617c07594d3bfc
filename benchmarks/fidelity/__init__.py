"""The simulator held against a kernel in a micro-VM: what ``benchmarks/fidelity.py`` is made of."""
