"""The vault: encrypts what users entrust to the server, with keys that are not in the database (Fernet)."""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from folkmoot.errors import Undecipherable
from folkmoot.settings import Settings

LOST = "None of the server's secret keys (FOLKMOOT_SECRET_KEY) opens it."


class Vault:
    """Opens what any of the server's secret keys has closed, and closes with the first of them."""

    def __init__(self, settings: Settings) -> None:
        """Take the keys of the settings; there has to be one."""
        self._fernet = MultiFernet([Fernet(key) for key in settings.secret_keys])

    def close(self, text: str) -> str:
        """Encrypt a text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, closed: str) -> str:
        """Decrypt it again.

        Raises:
            Undecipherable: no key fits.
        """
        try:
            return self._fernet.decrypt(closed.encode()).decode()
        except InvalidToken:
            raise Undecipherable(LOST) from None

    def renew(self, closed: str) -> str:
        """Encrypt with the first key what any of them has encrypted.

        Raises:
            Undecipherable: no key fits.
        """
        try:
            return self._fernet.rotate(closed.encode()).decode()
        except InvalidToken:
            raise Undecipherable(LOST) from None
