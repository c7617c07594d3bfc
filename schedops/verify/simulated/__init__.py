"""The policy's own code in the simulator, before any guest: plans, shapes of machines, what is asked of the results."""
