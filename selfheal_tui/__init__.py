"""selfheal: a terminal pair programmer that proves its fixes in a container."""

__version__ = "0.1.0"
