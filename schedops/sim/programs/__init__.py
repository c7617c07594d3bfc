"""A workload, a seed and a machine to a plan of the simulator; its result to the workload's metrics. Pure.

:func:`schedops.sim.programs.plan.planned` begins, :func:`schedops.sim.programs.measure.metrics_of_result` ends.
"""
