"""The parts of the LiteLLM adapter; `selfheal_tui.adapters.model` puts them together."""
