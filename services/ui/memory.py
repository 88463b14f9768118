"""What the browser keeps over a reload: the session, the question as typed so far, and the query on show."""

import gradio as gr

#: The key only names the cipher: who can read this browser's storage can use its session anyway.
KEY = "folkmoot"


class Memory:
    """The browser's entries; none is ever empty, for Gradio does not store what is falsy.

    Attributes:
        session: `token`, `username`, and whether the page may go on with what an earlier session left (`again`); of a
            session that has ended by itself the `username` alone.
        draft: `question`, as typed so far.
        opened: `job_id` of the query on show.
    """

    def __init__(self) -> None:
        """Put the entries into the page being built; only outside hidden parts are they read before the page loads."""
        self.session = gr.BrowserState({}, storage_key="folkmoot-session", secret=KEY)
        self.draft = gr.BrowserState({"question": ""}, storage_key="folkmoot-draft", secret=KEY)
        self.opened = gr.BrowserState({"job_id": ""}, storage_key="folkmoot-opened", secret=KEY)
