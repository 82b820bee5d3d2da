"""What is told of a healed environment, in one sentence an event, the same in every front-end."""

from __future__ import annotations

from typing_extensions import assert_never

from selfheal_tui.core.events import EnvironmentHealed, EnvironmentLacked, EnvironmentNotHealed

EnvironmentEvent = EnvironmentLacked | EnvironmentHealed | EnvironmentNotHealed


def environment_words(event: EnvironmentEvent) -> str:
    """The event as a sentence; of a failed set-up with the last lines of its output."""
    match event:
        case EnvironmentLacked():
            lacks = f"the environment lacks {'; '.join(event.missing)}"
            plan = f"; proposed: {event.command}" if event.command else "; not healed"
            return f"{lacks}{plan}" + (f" ({event.reason})" if event.reason else "")
        case EnvironmentHealed():
            return f"the environment is healed and kept: {event.command}"
        case EnvironmentNotHealed():
            what = f" by {event.command}" if event.command else ""
            return f"the environment is not healed{what}: {event.reason}"
        case _:
            assert_never(event)
