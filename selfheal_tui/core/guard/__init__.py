"""What decides the verdict of a check, and what a change does to it.

Nothing here runs anything: text from outside is read, never executed.
"""
