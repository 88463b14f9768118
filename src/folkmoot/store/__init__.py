"""Every read and write of queries and responses, every compare-and-set.

`queries` accepts, shows, cancels and deletes; `asking` and `concluding` hold the claims of the workers; `outbox`
keeps what nobody has taken yet; `overdue` finds what a dead process left behind. A transaction that touches more than
one table locks the job's row first, so that two of them never wait for each other in a circle.
"""
