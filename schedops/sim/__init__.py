"""The simulator: plans to tables. The engine (C) and the headers that policies are built with lie beside it."""
