"""What a compiled policy says about itself, without running it. Pure; objects are hostile."""
