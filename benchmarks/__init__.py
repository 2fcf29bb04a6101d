"""How well, side by side, in one run; each prints a table and the figures the README shows."""
