"""Screens over the panes: they ask one thing and return one value."""
