"""Cases of a bench, what came of them, and the reports. Pure values and pure functions."""
