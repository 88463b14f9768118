"""All that an installation holds of a user, as one ZIP file that is written while it is sent."""

import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from io import RawIOBase
from typing import Any

from flask import json

from folkmoot import accounts, provider_keys, tokens
from folkmoot.accounts import Account
from folkmoot.prices import usd
from folkmoot.resources import QueryResource
from folkmoot.runtime import Runtime, utcnow
from folkmoot.store import charts, history, usage

README = """What Folkmoot holds of you.

account.json   your account, your API tokens without the tokens themselves, and what your queries have used by day
queries/       your questions, oldest first, each with its responses, consensus and analysis
charts/        the pictures of those analyses

Passwords, tokens and provider keys are not in it: Folkmoot keeps them hashed or encrypted, and gives them to nobody.
"""


class _Pipe(RawIOBase):
    """Where the archive is written to: it keeps what came since it was last emptied, and no more."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def emptied(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def archive(runtime: Runtime, account: Account) -> Iterator[bytes]:
    """The archive, piece by piece: one query is in memory at a time, and each is read as it stands at that moment."""
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:
        _add(packed, "README.txt", README)
        _add(packed, "account.json", _written(_about(runtime, account)))
        yield pipe.emptied()
        for query in history.all_of(runtime.db, account.user_id):
            _add(packed, f"queries/{_name(query)}.json", _written(query.as_json()))
            for picture in charts.of_query(runtime.db, query.job_id):
                # A PNG is as small as it gets.
                _add(packed, f"charts/{_name(query)}-{picture.name}.png", picture.content, zipfile.ZIP_STORED)
            yield pipe.emptied()
    yield pipe.emptied()


def _name(query: QueryResource) -> str:
    return f"{query.created_at:%Y-%m-%d}-{query.job_id}"


def _add(packed: zipfile.ZipFile, name: str, content: str | bytes, how: int = zipfile.ZIP_DEFLATED) -> None:
    entry = zipfile.ZipInfo(name, date_time=utcnow().timetuple()[:6])
    entry.external_attr = 0o600 << 16
    packed.writestr(entry, content, compress_type=how)


def _written(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _about(runtime: Runtime, account: Account) -> dict[str, Any]:
    db = runtime.db
    key = provider_keys.kept(db, runtime.settings, account.user_id)
    return {
        "username": account.username,
        "is_admin": account.is_admin,
        "created_at": _time(accounts.created_at(db, account.user_id)),
        "sessions": [
            {"created_at": _time(began), "expires_at": _time(ends)}
            for began, ends in accounts.sessions(db, account.user_id)
        ],
        "api_tokens": [
            {name: _time(value) if isinstance(value, datetime) else value for name, value in asdict(token).items()}
            for token in tokens.list_own(db, account.user_id)
        ],
        "provider_key_for": key.provider if key else None,
        "usage": [
            {"day": day.isoformat(), "tokens": amount.tokens, "usd": usd(amount.nano_usd) or "0"}
            for day, amount in usage.by_day(db, account.user_id)
        ],
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
