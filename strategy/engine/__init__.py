"""The engine: which strategies fire for whom and when, exactly, in event time. port.py says what a backend is,
python.py is the pure-Python one; its step (step.py) is a function of a partition's state alone and runs wherever Python
does."""
