"""What a commit is to be otherwise: its message, and where the change goes. Hidden until wanted,
so that typing ahead can change nothing."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, RadioButton, RadioSet, TextArea

from selfheal_tui.ui.screens.draft import BRANCH, CURRENT, DISCARD, WORKTREE, Draft

_PLACES = {
    BRANCH: "commit on a new branch",
    CURRENT: "commit on the current branch, and update your files",
    WORKTREE: "only update your files, no commit",
    DISCARD: "discard it: nothing of it is kept here",
}


class Editing(Vertical):
    """Edits a draft; `draft` is what it says now."""

    class Changed(Message):
        """Something of it is another one now."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(id="editing")
        self._before = draft

    def compose(self) -> ComposeResult:
        message = self._before.message.rstrip("\n")
        yield TextArea(message, id="new-message", tab_behavior="focus")
        with Horizontal():
            with RadioSet(id="place"):
                for place, words in _PLACES.items():
                    yield RadioButton(words, value=place == self._before.place, id=place)
            yield Input(self._before.branch, placeholder="name of the branch", id="new-branch")

    def on_mount(self) -> None:
        self.query_one("#new-message").border_title = "message"
        self.query_one("#place").border_title = "place"
        self.query_one("#new-branch").border_title = "new branch"
        self._show_what_counts()

    @property
    def draft(self) -> Draft:
        message = self.query_one("#new-message", TextArea).text.rstrip("\n") + "\n"
        if message.strip() == self._before.message.strip():
            message = self._before.message
        branch = self.query_one("#new-branch", Input).value.strip()
        return Draft(message, self._place, branch)

    @property
    def _place(self) -> str:
        pressed = self.query_one("#place", RadioSet).pressed_button
        return (pressed.id if pressed else None) or BRANCH

    @on(RadioSet.Changed)
    def _show_what_counts(self) -> None:
        self.query_one("#new-branch").display = self._place == BRANCH
        self.query_one("#new-message").display = self._place in (BRANCH, CURRENT)

    @on(RadioSet.Changed)
    @on(Input.Changed)
    @on(TextArea.Changed)
    def _tell(self) -> None:
        self.post_message(self.Changed())
