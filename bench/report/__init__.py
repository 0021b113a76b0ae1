"""What becomes of outcomes: a table in the terminal, JSON results, a plot and docs/benchmarks.md."""
