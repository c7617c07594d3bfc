"""Whether a policy compiles, loads, takes charge, keeps tasks running and goes away cleanly, on real kernels."""
