"""What the page showed on the way to what it shows now: taken down in the browser, as often as anything changes."""

from typing import Any

from playwright.sync_api import Page

#: By seat, every length of its text while it was being written; and every sentence that told how far the query is.
#: The first time that a seat's text stood on the screen is taken after the frame that drew it, in ms since the epoch.
START = """() => {
  const record = window.record = {lengths: {}, statuses: [], first_ms: {}};
  const note = (list, value) => { if (!list.includes(value)) list.push(value); };
  const look = () => {
    for (const seat of document.querySelectorAll(".fm-seat")) {
      const name = seat.dataset.agent, length = seat.querySelector(".fm-words.live .fm-md")?.innerText.trim().length;
      if (!length) continue;
      note(record.lengths[name] ??= [], length);
      if (!(name in record.first_ms)) {
        record.first_ms[name] = 0;
        requestAnimationFrame(() => setTimeout(() => { record.first_ms[name] = Date.now(); }));
      }
    }
    const statuses = document.querySelectorAll(".fm-progress [role=status]");
    for (const status of statuses) note(record.statuses, status.innerText);
  };
  window.recorder?.disconnect();
  window.recorder = new MutationObserver(look);
  window.recorder.observe(document.body, {childList: true, subtree: true, characterData: true});
}"""


class Record:
    """A record of one page; begins when made, and ends when the page is left."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(START)

    def lengths(self, agent_id: str) -> list[int]:
        """The lengths that a seat's text had while it was being written, in characters."""
        return list(self._read()["lengths"].get(agent_id, []))

    def statuses(self) -> list[str]:
        """The sentences of the progress line, each once, in order."""
        return list(self._read()["statuses"])

    def first_ms(self) -> dict[str, float]:
        """By seat, when its text was first drawn, in milliseconds since the epoch; 0 before the frame is out."""
        return dict(self._read()["first_ms"])

    def _read(self) -> Any:
        return self._page.evaluate("() => window.record")
