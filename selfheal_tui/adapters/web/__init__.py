"""The interface in a browser: a door with one key, a page, and a process behind each tab."""
