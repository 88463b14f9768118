"""Pure: a domain as a mark in its own quiet accent, whose colours stand in style.css."""

import re
from html import escape


def accent(domain: str) -> str:
    """The class of a domain's accent; a domain that style.css does not know keeps the page's own."""
    return "d-" + re.sub(r"[^a-z0-9]+", "-", domain.lower()).strip("-")


def mark(domain: str) -> str:
    """The domain's name with its accent."""
    return f'<span class="fm-domain {accent(domain)}">{escape(domain)}</span>'
