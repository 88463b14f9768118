"""The price table: exact, from a file, and honest about what it does not know."""

from pathlib import Path

import pytest

from folkmoot.agents import Roster, load_roster
from folkmoot.errors import SettingsError
from folkmoot.prices import Prices, load_prices, usd
from folkmoot.settings import Settings
from tests.unit.conftest import ROOT


def table(folder: Path, text: str) -> Settings:
    """Settings that name a price table of this text."""
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return Settings(prices_file=folder / "mine.yaml")


def test_cost_is_exact(tmp_path: Path, roster: Roster) -> None:
    """Prices are read as they are written, and a million calls cost a million times one, to the nano-dollar."""
    prices = load_prices(table(tmp_path, "models: {m: {prompt: 0.1, completion: 0.7}}"), roster)

    one = prices.nano_usd(("m",), 1, 1)
    assert one == 800 and usd(one * 1_000_000) == "0.8"
    assert usd(prices.nano_usd(("m",), 3, 0)) == "0.0000003"


def test_a_part_of_a_nano_dollar_is_rounded_up(tmp_path: Path, roster: Roster) -> None:
    """What is spent is never told as less than it is."""
    prices = load_prices(table(tmp_path, "models: {m: {prompt: 0.0001, completion: 0}}"), roster)

    assert prices.nano_usd(("m",), 1, 0) == 1 and prices.nano_usd(("m",), 11, 5) == 2


@pytest.mark.parametrize(
    ("nano_usd", "written"), [(0, "0"), (1, "0.000000001"), (10**10, "10"), (1_500_000_000, "1.5"), (None, None)]
)
def test_dollars_are_written_without_exponents(nano_usd: int | None, written: str | None) -> None:
    """Every digit is there, and no needless zero."""
    assert usd(nano_usd) == written


def test_unknown_is_not_free(tmp_path: Path, roster: Roster) -> None:
    """A model that is not listed has an unknown cost; one that is listed by another of its names has that price."""
    prices = load_prices(
        table(tmp_path, "models: {m: {prompt: 1, completion: 1}, free: {prompt: 0, completion: 0}}"), roster
    )

    assert prices.nano_usd(("other",), 5, 5) is None
    assert prices.nano_usd(("m-2026-01", "m"), 1, 1) == 2000
    assert prices.nano_usd(("free",), 5, 5) == 0


def test_the_table_that_comes_along_knows_the_embedded_model(settings: Settings) -> None:
    """The embedded model costs nothing, and is the one of the embedded roster."""
    roster = load_roster(settings)
    prices = load_prices(settings, roster)

    assert {prices.nano_usd((seat.model,), 10**6, 10**6) for seat in roster.seats.values()} == {0}


def test_without_a_table_everything_is_unknown(tmp_path: Path, roster: Roster) -> None:
    """A folder of rosters without prices is fine, a file that was named and is missing is not."""
    assert load_prices(Settings(config_dir=tmp_path), roster) == Prices()
    with pytest.raises(SettingsError, match="FOLKMOOT_PRICES_FILE"):
        load_prices(Settings(prices_file=tmp_path / "none.yaml"), roster)


@pytest.mark.parametrize(
    "text",
    [
        "models: {m: {prompt: -1, completion: 0}}",
        "models: {m: {prompt: 1}}",
        "models: {m: free}",
        "models: {m: {prompt: .nan, completion: 0}}",
        "models: [",
        "- m",
        "models: {m: {prompt: 1, completion: 1}, m: {prompt: 2, completion: 2}}",
        "prices: {}",
    ],
)
def test_a_wrong_table_stops_the_process(tmp_path: Path, roster: Roster, text: str) -> None:
    """The sentence names the file."""
    with pytest.raises(SettingsError, match=r"mine\.yaml"):
        load_prices(table(tmp_path, text), roster)


def test_a_budget_in_money_wants_every_price(tmp_path: Path, roster: Roster) -> None:
    """A budget in dollars that could not be held stops the process and names the models without a price."""
    path = tmp_path / "prices.yaml"
    path.write_text("models: {vendor/qwen-model: {prompt: 1, completion: 1}}", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"vendor/deephermes-model, vendor/llama3-model, vendor/mistral-model\.$"):
        load_prices(Settings(config_dir=tmp_path, budget_user_usd=1), roster)
    assert (ROOT / "config" / "prices.yaml").exists()
