"""The example of a .env file tells the truth about the settings."""

import re
from pathlib import Path

from folkmoot.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"

#: Settings of the way of running, which no process of the core reads.
OF_RUNNING = {
    "PORT",
    "HOST",
    "DATA_DIR",
    "GATEWAYS",
    "SEATS",
    "DATABASE_URL_FILE",
    "BROKER_URL_FILE",
    "SECRET_KEY_FILE",
}


def test_every_setting_stands_there_with_its_default() -> None:
    """No setting is missing from the example, none is made up, and each default is the real one."""
    shown = dict(re.findall(r"^#FOLKMOOT_([A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE))
    defaults = {name.upper(): field.default for name, field in Settings.model_fields.items()}

    assert set(shown) - OF_RUNNING == set(defaults)
    assert {name for name, default in defaults.items() if shown[name].lower() != str(default).lower()} == {
        "AGENTS_FILE",
        "ALIVE_FILE",
        "FAILPOINTS",
        "LOG_FILE",
        "PRICES_FILE",
    }
