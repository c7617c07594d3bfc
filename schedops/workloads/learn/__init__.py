"""What others wrote down about jobs that ran, read into measurements. Pure; all that is read is untrusted."""
