"""The vault: what one of the server's secrets has closed, any server with that secret opens, and nobody else."""

import base64
from pathlib import Path

import pytest

from folkmoot.errors import SettingsError, Undecipherable
from folkmoot.settings import Settings, load
from folkmoot.vault import Vault

OLD, NEW = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in (1, 2))


def vault(*secrets: str) -> Vault:
    """A vault with these secrets, the first of which encrypts."""
    return Vault(Settings.model_validate({"secret_key": ",".join(secrets)}))


def test_what_is_closed_is_opened_again() -> None:
    """The text comes back, does not stand in what is stored, and is stored differently each time."""
    one, other = vault(OLD).close("sk-of-ada"), vault(OLD).close("sk-of-ada")

    assert vault(OLD).open(one) == "sk-of-ada"
    assert "sk-of-ada" not in one and one != other


def test_secrets_are_changed_without_a_gap() -> None:
    """The first of several secrets encrypts and all decrypt; once renewed, the old one is not needed any more."""
    closed = vault(OLD).close("sk-of-ada")

    assert vault(NEW, OLD).open(closed) == "sk-of-ada"
    with pytest.raises(Undecipherable):
        vault(NEW).open(closed)
    assert vault(NEW).open(vault(NEW, OLD).renew(closed)) == "sk-of-ada"
    with pytest.raises(Undecipherable):
        vault(NEW).renew(closed)


def test_what_was_tampered_with_is_refused() -> None:
    """A stored text with one letter changed is not opened."""
    closed = vault(OLD).close("sk-of-ada")

    with pytest.raises(Undecipherable):
        vault(OLD).open(closed[:40] + ("A" if closed[40] != "A" else "B") + closed[41:])


@pytest.mark.parametrize(
    "secret", ["short", "é" * 44, OLD[:-1], f"{OLD},hunter2hunter2", base64.b64encode(b"1" * 31).decode()]
)
def test_a_wrong_secret_stops_the_process_and_is_not_told(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    """The sentence names the variable and what would be right, and holds nothing of the secret itself."""
    monkeypatch.setenv("FOLKMOOT_SECRET_KEY", secret)

    with pytest.raises(SettingsError, match="FOLKMOOT_SECRET_KEY must be 32 random bytes") as told:
        load()

    assert secret.rsplit(",", maxsplit=1)[-1] not in str(told.value)


def test_a_secret_is_in_no_text_of_the_settings() -> None:
    """Neither printed nor dumped settings hold it."""
    settings = Settings.model_validate({"secret_key": OLD})

    assert settings.secret_keys == (OLD,) and Settings().secret_keys == ()
    assert OLD not in f"{settings!r}{settings}{settings.model_dump_json()}"


def test_a_secret_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file that FOLKMOOT_SECRET_KEY_FILE names holds the secrets and wins; what is wrong in it is not told."""
    file = tmp_path / "secret_key"
    file.write_text(f"{NEW},\n{OLD}\n")
    monkeypatch.setenv("FOLKMOOT_SECRET_KEY", OLD)
    monkeypatch.setenv("FOLKMOOT_SECRET_KEY_FILE", str(file))

    assert load().secret_keys == (NEW, OLD)

    file.write_text("hunter2hunter2")
    with pytest.raises(SettingsError, match="FOLKMOOT_SECRET_KEY must be") as told:
        load()
    assert "hunter2" not in str(told.value)
