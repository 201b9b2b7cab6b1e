"""A page that opens MLflow's under *Model training*, for `lenetctl ui`.

MLflow opens on its pages for language models. What a user wants instead it keeps in the browser
alone: `?workflowType=…` holds until the next click, the tag `mlflow.experimentKind` is not asked.
So this page, a plugin of MLflow's server (`mlflow.app` in pyproject.toml), writes it there.
"""

START = """<!doctype html>
<meta charset="utf-8">
<title>MLflow</title>
<script>
  // as a click on "Model training", and one that closes the assistant over a third of the page
  localStorage.setItem("mlflow.workflowType_v1", '"machine_learning"');
  localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
  location.replace("./#/experiments");
</script>
"""


def create_app() -> object:
    """Return MLflow's server with the page `/training`."""
    from mlflow.server import app as pages  # noqa: PLC0415  `mlflow ui` imports this module itself
    from mlflow.server.fastapi_app import app  # noqa: PLC0415

    pages.add_url_rule("/training", view_func=lambda: START)
    return app
