"""The strategy engine measured: one generator of catalog, strategies and events; matchers, peers and oracle on the same
work; growth curves. `python -m benchmarks.engine --help`; what it found is in docs/benchmarks/engine.md."""
