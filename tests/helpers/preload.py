"""What the server that `forked` forks its children from imports beforehand."""

import importlib

for module in (
    "alembic.command",
    "matplotlib.pyplot",
    "mlflow.pyfunc",
    "mlflow.store.tracking.sqlalchemy_store",
    "torch._dynamo",  # by every optimizer
    "lenetctl.artifacts",
    "lenetctl.cli.views.run",
    "lenetctl.cli.commands.train",
    "lenetctl.tracking.model",
):
    importlib.import_module(module)
