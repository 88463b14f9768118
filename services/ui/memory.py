"""What the browser keeps over a reload: who was here, the question as typed so far, and the query on show."""

import gradio as gr

#: The key only names the cipher: nothing of this is secret from who can read the browser's storage.
KEY = "folkmoot"


class Memory:
    """The browser's entries; none is ever empty, for Gradio does not store what is falsy.

    Attributes:
        user: `username` of the last who was signed in, empty after a sign-out; what the others hold is theirs.
        draft: `question`, as typed so far, and the query that it follows up: `parent_job_id` and its text, `parent`.
        opened: `job_id` of the query on show.
    """

    def __init__(self) -> None:
        """Put the entries into the page being built; only outside hidden parts are they read before the page loads."""
        self.user = gr.BrowserState({"username": ""}, storage_key="folkmoot-user", secret=KEY)
        self.draft = gr.BrowserState(dict(EMPTY_DRAFT), storage_key="folkmoot-draft", secret=KEY)
        self.opened = gr.BrowserState({"job_id": ""}, storage_key="folkmoot-opened", secret=KEY)


EMPTY_DRAFT = {"question": "", "parent_job_id": "", "parent": ""}
