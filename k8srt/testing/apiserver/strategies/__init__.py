"""What is particular to a kind, as small strategies with a row each; `table.py` has the rows."""
