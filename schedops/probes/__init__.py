"""BPF programs of ours that watch the scheduler; C source as package data, compiled for each kernel when wanted."""
