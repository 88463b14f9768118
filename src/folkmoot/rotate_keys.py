"""`python -m folkmoot.rotate_keys`: encrypts every provider key of a user anew, with the first of the secrets."""

import sys

from folkmoot import provider_keys, settings
from folkmoot.db import Database
from folkmoot.errors import FolkmootError


def main() -> int:
    """Rotate; 1 when a key could not be read, or the settings or the database do not allow it."""
    try:
        own = settings.load()
        if not own.secret_keys:
            sys.stderr.write("FOLKMOOT_SECRET_KEY is not set: there is nothing to encrypt with.\n")
            return 1
        db = Database(own.database_url)
        renewed, lost = provider_keys.renew_all(db, own)
        db.close()
    except FolkmootError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{renewed} keys are encrypted with the first secret now.\n")
    if lost:
        sys.stderr.write(
            f"{len(lost)} keys stay as they were, for no secret opens them (users {', '.join(map(str, lost))}). Name "
            "the secret that they were encrypted with as well, or have their users set them anew.\n"
        )
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
