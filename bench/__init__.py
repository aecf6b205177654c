"""Benchmarks: ratios of figures taken side by side in one run, never bare times.

``python -m bench --facts 1000000`` makes a ledger with the seeds' generator (kept in
``.cache/bench`` for the next run) and prints one line a figure.
"""
