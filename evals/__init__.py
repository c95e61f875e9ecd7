"""Regression suites over the agents: cases with hand-written gold, scorers, a gate, and paired comparison of runs."""
