"""GitOps for Linux schedulers.

    workload ─▶ analyze ─Profile─▶ agent ─Plan─▶ verify ─Report─▶ bench ─Measurements─▶ gate ─Decision─▶ propose

Every arrow is a frozen value of ``schedops.model`` and, on disk, a JSON document with a schema of the same name.
"""

__version__ = "0.1.0"
