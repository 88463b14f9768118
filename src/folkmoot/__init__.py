"""Folkmoot asks several language models the same question and concludes one answer from theirs.

Read `submission.py`, `council.py` and `measurement.py` first: submit, ask, conclude, analyse, in the order they happen.
`store` keeps the truth in the database, `dispatch` sends hints to the worker pools, `events` streams what happens,
`health` knows who may be asked, `llm` speaks to the models, and `sweep` picks up whatever a dead process left behind.
"""
