"""The course of one run, from the task to its outcome."""
