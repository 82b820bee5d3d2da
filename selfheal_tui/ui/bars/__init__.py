"""Single lines around the panes: what runs, what waits, what can be pressed."""
