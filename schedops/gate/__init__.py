"""VerificationReport and Measurements in, Decision out. No ports, no side effects, no clock, no randomness."""
