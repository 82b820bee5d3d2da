"""One third-party library a module, behind the ports of `selfheal_tui.agent.ports`."""
