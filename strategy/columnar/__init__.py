"""The columnar matcher: events as arrays, matched and kept in compiled micro-batches. Same meaning as strategy.engine,
held to it firing for firing; needs NumPy and Numba, which the engine itself does not."""
