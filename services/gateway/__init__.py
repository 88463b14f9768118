"""The gateway service: the REST face of the council, stateless, any number of replicas behind nginx."""
