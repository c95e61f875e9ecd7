"""The customer graph, measured: reads at a past moment, group commit, missing steps, what a kill leaves, growth."""
