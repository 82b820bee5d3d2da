"""Readers of runners' reports, one file each; `read` is the front. They never raise, and take
time linear in the text."""
