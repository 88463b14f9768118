"""The heartbeat service: keeps the health board true, and sweeps what is overdue."""
