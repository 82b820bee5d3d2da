"""Pure values and pure functions: no input, no output, no third-party import."""
