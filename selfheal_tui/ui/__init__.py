"""The terminal front-end: it shows events and asks; it decides nothing."""
