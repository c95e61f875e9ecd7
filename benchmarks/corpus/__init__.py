"""Sentences with what they mean: how many are read exactly, asked about or refused as they should be, and how often a
wrong strategy comes out. What strategies mean is tested in tests/strategy; the data lies in tests/data/corpus."""
