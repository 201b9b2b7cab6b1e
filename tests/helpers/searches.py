"""A small search, and a database that another program has locked."""

import sqlite3
from contextlib import closing

SPEC = "data: {dataset: digits, validation: 100}\ntraining: {epochs: 10}\n"
RATE = "training.optimizer.lr"
SPACE = ("training.optimizer.lr={low: 0.01, high: 1.0, log: true}", "model.pool.kind=avg,max")


def rate(trial):
    return trial.spec.training.optimizer.lr


def lock(database):
    """Lock the study's database as another program does."""
    other = sqlite3.connect(database)
    other.execute("BEGIN EXCLUSIVE")
    return closing(other)
