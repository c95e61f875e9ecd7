"""The columnar matcher: events as arrays, matched and kept in compiled micro-batches. Same meaning as strategy.engine
and held to it firing for firing; it needs NumPy and Numba, which the engine itself does not.

Bytes and frames → columns: decode, arrow, columns (compiled: scan, lines, names). Strategies → tables: program, plan,
filters, layout, deploy. Columns → order and cells: queue, ready, prepare, strings. The loop over instants: loop, with
judge, truth, feed, runs, record and exact, on state in rows and blocks (state, view). Memory: shard, compact, spill,
snapshot. The whole as an engine: engine, with facts, observe and side. Filters alone: matching."""
