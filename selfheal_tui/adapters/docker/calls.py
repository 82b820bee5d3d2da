"""What a call to the engine may raise, and how one is made without blocking the loop."""

from __future__ import annotations

import docker.errors
import requests.exceptions

from selfheal_tui.adapters.threads import either, in_thread, to_the_end, within

__all__ = ["ENGINE_FAULTS", "either", "in_thread", "to_the_end", "within"]

ENGINE_FAULTS = (docker.errors.DockerException, requests.exceptions.RequestException, OSError)
"""An answer that says no, or no answer."""
