"""Random secrets that are shown once: how they are made, and what is kept of them."""

import hashlib
import secrets

#: Of every secret, in bytes: 256 bits cannot be guessed, so a fast hash keeps them safe.
BYTES = 32
#: Characters of a secret that lists show, its kind included, so that its owner knows it again.
SHOWN_CHARS = 10


def new(kind: str = "") -> str:
    """A secret nobody has seen before, `kind` at its front: 43 characters more of letters, digits, `-` and `_`."""
    return kind + secrets.token_urlsafe(BYTES)


def hashed(secret: str) -> str:
    """What is stored of a secret, and looked up: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def shown(secret: str) -> str:
    """The part of a secret that may be shown for good."""
    return secret[:SHOWN_CHARS]
