"""What MLflow says that it has of runs, where `published.json` may be wrong about it.

The store was deleted, or put back from a copy; a run's folder came from elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lenetctl.runs.folder import Run
from lenetctl.runs.records import PublishedRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mlflow import MlflowClient
    from mlflow.entities import Run as Entry

PAGE = 1000  # entries at once


def correct_cursors(client: MlflowClient, runs: Iterable[Run]) -> None:
    """Take back the cursor of each run that MLflow has less of, to be published from its begin.

    Raises:
        Exception: whatever MLflow raises when its store cannot be reached.

    """
    entries = {entry.info.run_id: entry for entry in _entries(client)}
    for run in runs:
        said = run.published
        entry = entries.get(said.run_id)
        if said.run_id and not (entry and _has_it_all(entry, said)):
            run.write_record(PublishedRecord())


def _has_it_all(entry: Entry, said: PublishedRecord) -> bool:
    from mlflow.utils.file_utils import get_local_path_or_none  # noqa: PLC0415

    artifacts = get_local_path_or_none(entry.info.artifact_uri)  # type: ignore[no-untyped-call]
    lost = said.status == "FINISHED" and artifacts and not Path(artifacts).exists()
    return said.status in ("", entry.info.status) and not lost


def _entries(client: MlflowClient) -> Iterator[Entry]:
    """Yield every run of every experiment, deleted ones too: their users have to be told."""
    from mlflow.entities import ViewType  # noqa: PLC0415  4 s, see store.open_client

    token = None
    experiments = []
    while token != "":
        page = client.search_experiments(ViewType.ALL, PAGE, page_token=token)
        experiments += [experiment.experiment_id for experiment in page]
        token = page.token or ""
    token = None
    while token != "":
        found = client.search_runs(experiments, "", ViewType.ALL, PAGE, page_token=token)
        yield from found
        token = found.token or ""
