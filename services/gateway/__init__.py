"""The gateway service: the REST face of the council, stateless, any number of replicas behind nginx."""

from services.gateway.app import create_app

__all__ = ["create_app"]
