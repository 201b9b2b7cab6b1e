from helpers import run_folders

from lenetctl.runs.listing.snapshot import Snapshot
from lenetctl.runs.store import RunStore


def test_it_stays_as_it_was_read(tmp_path):
    run = run_folders.run(tmp_path, "a", 0.5)
    (snapshot,) = RunStore(tmp_path, Snapshot).all()
    run.set_status("KILLED")
    assert snapshot.status.state == "FINISHED"
    assert run.status.state == "KILLED"
