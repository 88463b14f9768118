"""The price table: what a model's tokens cost, as data. Money is exact: whole nano-dollars, and decimals as text."""

from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from folkmoot.agents import OnceLoader, Roster
from folkmoot.errors import SettingsError
from folkmoot.settings import Settings

#: The file among the rosters that is read when no setting names another.
FILE = "prices.yaml"
#: Nano-dollars in a dollar.
NANO = 10**9
#: Prices are per this many tokens.
PER_TOKENS = 10**6

Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Price(BaseModel):
    """What a million tokens of a model cost, in US dollars."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Usd
    completion: Usd

    def nano_usd(self, prompt_tokens: int, completion_tokens: int) -> int:
        """What these tokens cost, rounded up to a whole nano-dollar."""
        usd_of_a_million = self.prompt * prompt_tokens + self.completion * completion_tokens
        return int((usd_of_a_million * NANO / PER_TOKENS).to_integral_value(ROUND_CEILING))


class Prices(BaseModel):
    """The prices that are known, by the model's name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    models: dict[str, Price] = {}

    def nano_usd(self, models: tuple[str, ...], prompt_tokens: int, completion_tokens: int) -> int | None:
        """What these tokens cost; None when the price is unknown.

        Args:
            models: names of one model, such as the endpoint's and the roster's; the first that is listed counts.
            prompt_tokens: what it read.
            completion_tokens: what it wrote.
        """
        price = next((self.models[name] for name in models if name in self.models), None)
        return None if price is None else price.nano_usd(prompt_tokens, completion_tokens)


def usd(nano_usd: int | None) -> str | None:
    """Nano-dollars as dollars: every digit, no exponent, no needless zeros."""
    if nano_usd is None:
        return None
    text = f"{Decimal(nano_usd).scaleb(-9):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class _DecimalLoader(OnceLoader):
    """Reads numbers as they stand there, not as the nearest binary ones."""


_DecimalLoader.add_constructor("tag:yaml.org,2002:float", lambda _, node: Decimal(node.value))


def load_prices(settings: Settings, roster: Roster) -> Prices:
    """Read the price table in force; where none comes along, every price is unknown.

    Raises:
        SettingsError: the file is wrong, or there is a budget in money and a model of the roster has no price.
    """
    path = settings.prices_file or settings.config_dir / FILE
    prices = Prices() if settings.prices_file is None and not path.exists() else _read(path)
    if settings.budget_user_usd or settings.budget_all_usd:
        named = {endpoint.model for seat in roster.seats.values() for endpoint in seat.endpoints}
        if unknown := sorted(named - prices.models.keys()):
            raise SettingsError(
                "FOLKMOOT_BUDGET_USER_USD or FOLKMOOT_BUDGET_ALL_USD is set, and a budget in money can only be held "
                f"when each model's price is known. Add to {path}: {', '.join(unknown)}."
            )
    return prices


def _read(path: Path) -> Prices:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_DecimalLoader)  # noqa: S506 # nosec B506 # it is safe
        return Prices.model_validate(content)
    except OSError as error:
        raise SettingsError(
            f"The price table {path} cannot be read ({error.strerror}); FOLKMOOT_PRICES_FILE names another."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, ArithmeticError) as error:
        raise SettingsError(f"The price table {path} is not YAML: {error}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "file"
        raise SettingsError(
            f"The price table {path} is wrong: {where}: {problem['msg']}. A line of `models:` must look like "
            "`name: {prompt: 0.02, completion: 0.03}`, in dollars for a million tokens."
        ) from None
