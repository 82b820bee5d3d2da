"""The agent: plain async code over ports, emitting events. Imports no adapter."""
