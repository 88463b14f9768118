"""The commands of docs/operations.md do what it says."""

import pytest

from tests.client import new_user
from tests.compose.deployment import WORKERS, Deployment
from tests.compose.fixtures import roster_for_containers
from tests.compose.manual import commands, perform
from tests.scripted_model import ScriptedModel
from tests.stack import eventually

pytestmark = pytest.mark.timeout(600)


def test_backup_outlives_the_volumes(deployment: Deployment) -> None:
    """A backup taken while it runs brings users, sessions and queries back after every volume was destroyed."""
    user = new_user(deployment.url)
    job_id = user.ask()["job_id"]
    before = user.wait_settled(job_id, 60)

    perform(deployment, commands("# Back up:"))
    deployment.down()
    perform(deployment, commands("# Restore:"))

    eventually(deployment.is_ready, 30, "database and broker answer")
    assert user.query(job_id) == before
    assert user.wait_done(user.ask()["job_id"], 60)["status"] == "done"


def test_move_to_postgresql(deployment: Deployment) -> None:
    """What SQLite held is there on PostgreSQL, new rows get ids of their own, and its backup brings it all back."""
    user = new_user(deployment.url)
    job_id = user.ask()["job_id"]
    before = user.wait_settled(job_id, 60)

    perform(deployment, commands("# Secrets"))
    deployment.use_postgres()
    perform(deployment, commands("# Move"))

    eventually(deployment.is_ready, 30, "database and broker answer")
    assert user.query(job_id) == before
    second = user.wait_settled(user.ask()["job_id"], 60)
    assert second["status"] == "done"
    [postgres] = deployment.containers("postgres")
    secret = (deployment.folder / "secrets" / "postgres_password").read_text()
    assert deployment.execute(postgres, "id", "-u").strip() == "70"
    assert secret not in deployment.engine.docker("inspect", postgres, *deployment.containers("gateway"))

    perform(deployment, commands("# Back up PostgreSQL"))
    deployment.down()
    perform(deployment, commands("# Restore PostgreSQL"))

    eventually(deployment.is_ready, 30, "database and broker answer")
    assert user.query(job_id) == before and user.query(second["job_id"]) == second


def test_change_to_rabbitmq(deployment: Deployment) -> None:
    """The queues move to RabbitMQ, which runs as its own user; a restart and deleted queues cost no query."""
    user = new_user(deployment.url)
    perform(deployment, commands("# Broker secrets"))
    deployment.use_rabbitmq()
    perform(deployment, commands("# Change the broker"))

    eventually(deployment.is_ready, 30, "database and broker answer")
    assert user.wait_done(user.ask()["job_id"], 60)["status"] == "done"
    [rabbitmq] = deployment.containers("rabbitmq")
    address = (deployment.folder / "secrets" / "broker_url").read_text().strip()
    assert deployment.execute(rabbitmq, "id", "-u").strip() == "100"
    password = address.split(":")[2].partition("@")[0]
    assert password not in deployment.engine.docker("inspect", rabbitmq, *deployment.containers("gateway"))
    queues = deployment.execute(rabbitmq, "rabbitmqctl", "--silent", "list_queues", "type")
    assert set(queues.split()) == {"quorum"}

    deployment.compose("restart", "rabbitmq")
    eventually(deployment.is_ready, 90, "database and broker answer")
    perform(deployment, commands("# Delete queues"))
    eventually(deployment.is_ready, 60, "database and broker answer")
    assert user.wait_done(user.ask(deadline_s=120)["job_id"], 150)["status"] == "done"


def test_seats_of_a_roster_of_ones_own(deployment: Deployment, host_model: ScriptedModel) -> None:
    """Seats without a service of their own are served by `worker`, and services without a seat can be left out."""
    roster = roster_for_containers(host_model)
    seats = roster["seats"]
    roster["seats"] = {"llama3": seats["llama3"], "ada": seats["qwen"], "bo": seats["mistral"]}
    deployment.use_roster(roster)
    deployment.settings["FOLKMOOT_SEATS"] = "ada,bo"
    kept = ("worker-llama3", "worker-aggregate", "worker-analyse")
    deployment.scale |= {service: 0 for service in WORKERS if service not in kept}
    deployment.up()
    eventually(deployment.is_ready, 30, "database and broker answer")

    user = new_user(deployment.url)
    ended = user.wait_done(user.ask(agents=["ada", "bo"])["job_id"], 60)

    assert ended["status"] == "done" and not ended["degraded"], ended
    assert {response["agent_id"]: response["status"] for response in ended["responses"]} == {"ada": "ok", "bo": "ok"}
