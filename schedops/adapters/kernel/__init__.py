"""The kernel store: kernels found in an archive or given as files, looked at, kept."""
