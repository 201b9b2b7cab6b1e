import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lenetctl import specs
from lenetctl.errors import BusyError, NotFoundError, UsageError
from lenetctl.runs.execute import execute
from lenetctl.runs.folder import Run
from lenetctl.runs.options import RunOptions
from lenetctl.runs.records import PublishedRecord, RunRecord
from lenetctl.runs.store import ROOT, RunStore

HOLD = """
import sys
from pathlib import Path
from lenetctl.runs.folder import Run
with Run(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


def started(root, spec, **record):
    """Begin a run of `spec`, as a context."""
    name = f"{spec.name}-s{spec.training.seed}"
    return RunStore(root).begin(
        spec, RunRecord(name=name, spec_sha256=specs.sha256(spec), **record)
    )


@pytest.fixture
def begin(tmp_path, digits):
    """Begin a run and let go of it, as a process that died would; other seeds, other runs."""

    def make(name="quick", seed=0, run_id=None):
        with started(tmp_path / "runs", digits(name, seed=seed)) as run:
            pass
        if run_id:
            run.write_record(PublishedRecord(run_id=run_id))
        return run

    return make


@pytest.fixture
def hold():
    """Hold a run's lock in another process, to be ended with `.kill()`."""
    started = []

    def start(run):
        command = [sys.executable, "-c", HOLD, str(run.path)]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_begun_run_is_there_whole(tmp_path, digits):
    spec = digits()
    with started(tmp_path, spec, device="CPU") as run:
        assert run.path.parent == tmp_path
        assert run.spec() == spec
        assert run.status.state == "RUNNING"
        assert run.status.ended is None
        assert run.name == "quick-s0"
        assert run.record.device == "CPU"
        assert run.record.spec_sha256 == specs.sha256(spec)
        assert run.is_held()
    assert not run.is_held()


def test_a_second_start_of_the_same_experiment_is_refused(tmp_path, digits):
    renamed = digits("other-name")
    with started(tmp_path, digits()) as run:
        with pytest.raises(BusyError, match=f"{run.path.name} is being trained by process"):
            started(tmp_path, renamed).__enter__()
        with started(tmp_path, digits(seed=1)):
            pass
    assert len(RunStore(tmp_path).all()) == 2


def test_a_run_held_by_another_process_is_busy_until_that_one_is_killed(begin, hold):
    run = begin()
    process = hold(run)
    assert run.is_held()
    with pytest.raises(BusyError), run.held():
        pass
    process.kill()
    process.wait()
    with run.held():
        pass


def test_repeating_an_experiment_gives_a_folder_of_its_own(begin):
    assert begin().path != begin().path


def test_what_a_crash_or_a_deletion_leaves_behind_does_not_stop_the_next_start(begin):
    first, second = begin(), begin()
    (first.path / "run.json").unlink()
    assert begin().path not in (first.path, second.path)


@pytest.mark.parametrize("root", ["file", "file/runs"])
def test_a_folder_that_cannot_be_written_is_told(tmp_path, digits, root):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file.*cannot be written"):
        started(tmp_path / root, digits()).__enter__()


def test_a_dead_run_is_settled_as_killed_and_a_living_one_left_alone(tmp_path, begin, hold):
    dead, living, done = begin(), begin(seed=1), begin(seed=2)
    done.set_status("FINISHED", "finished")
    hold(living)
    assert RunStore(tmp_path / "runs").end_dead() == [dead]
    assert dead.status.state == "KILLED"
    assert dead.status.ended >= dead.status.started
    assert living.status.state == "RUNNING"
    assert done.status.state == "FINISHED"
    assert RunStore(tmp_path / "runs").end_dead() == []


def test_a_run_that_ends_while_it_is_looked_at_is_not_settled(tmp_path, begin, monkeypatch):
    run = begin()

    def ends(_):
        run.set_status("FINISHED", "finished")
        return False

    monkeypatch.setattr(Run, "is_held", ends)
    assert RunStore(tmp_path / "runs").end_dead() == []
    assert run.status.state == "FINISHED"


def test_going_on_with_a_run_holds_it_and_removes_what_a_crash_left_half_written(begin):
    run = begin()
    run.set_status("KILLED")
    run.checkpoints.mkdir()
    store = RunStore(run.path.parent)
    torn = [run.path / ".status.json-1-2.tmp", run.checkpoints / ".epoch-1.json-1-2.tmp"]
    for path in torn:
        path.touch()
    with store.resume(run):
        assert run.is_held()
        assert run.status.state == "RUNNING"
        with pytest.raises(BusyError):
            store.resume(run).__enter__()
    assert not any(path.exists() for path in torn)


@pytest.mark.parametrize("letter", ["a", "\u0436", "\u5b57", "\U00020000"])
def test_the_longest_name_fits_into_a_file_name_whatever_its_letters(tmp_path, digits, letter):
    name = letter * 100
    with started(tmp_path, digits(name)) as run:
        assert run.path.name.startswith(letter * min(100, 200 // len(letter.encode())))
    assert Run(run.path).name == f"{name}-s0"
    assert RunStore(tmp_path).all() == [run]


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("nul.v2-s0", "_nul.v2-s0"),  # what stands before the first dot is a device of Windows
        ("con-s0", "con-s0"),
        ("../../evil", "..-..-evil"),  # an imported run's
        ("C:\\runs: a?*", "C--runs--a--"),
    ],
)
def test_a_name_becomes_a_folder_that_every_file_system_can_have(tmp_path, digits, name, folder):
    record = RunRecord(name=name, spec_sha256="/../x/..")
    with RunStore(tmp_path / "runs").begin(digits(), record) as run:
        assert run.path == tmp_path / "runs" / f"{folder}--..-x-..-1"
        assert run.name == name


def test_windows_has_room_for_the_longest_path(finished):
    longest = max(len(str(path.relative_to(finished.path))) for path in finished.path.rglob("*"))
    name, identity = 100 + len("-s4294967295"), len("-12345678-999")
    writing = len(".") + len("-65535-281474976710656.tmp")
    below = len(str(ROOT)) + 1 + name + identity + 1 + longest + writing
    assert below < 260 - 50  # of which a project's own folder may have so many


def test_finding_by_folder_name_id_prefix_and_latest(tmp_path, begin):
    relu, other = begin("relu", run_id="abc123"), begin("tanh", seed=1, run_id="abd456")
    folders = (str(relu.path), str(relu.checkpoints))
    for wanted in (*folders, "relu-s0", relu.path.name, "abc123", "abc", "rel"):
        assert RunStore(tmp_path / "runs").find(wanted) == relu
    assert RunStore(tmp_path / "runs").find("latest") == other


def test_of_several_runs_with_a_name_the_newest_is_found(tmp_path, begin):
    older, newer = begin(), begin()
    assert RunStore(tmp_path / "runs").find("quick-s0") == newer
    assert RunStore(tmp_path / "runs").find(older.path.name) == older


def test_a_prefix_of_several_runs_is_refused_with_their_names(tmp_path, begin):
    one, two = begin("relu", run_id="abc"), begin("relax", seed=1, run_id="abd")
    for wanted in ("rel", "ab"):
        with pytest.raises(NotFoundError, match="several runs begin so") as told:
            RunStore(tmp_path / "runs").find(wanted)
        assert one.path.name in str(told.value)
        assert two.path.name in str(told.value)


@pytest.mark.parametrize("wanted", ["nope", "", "../..", "latest", "\0", "x" * 5000])
def test_a_run_that_is_not_there_is_not_found(tmp_path, wanted):
    with pytest.raises(NotFoundError, match="there is no such run"):
        RunStore(tmp_path / "runs").find(wanted)


def test_a_torn_line_of_the_journal_counts_for_nothing(begin):
    run = begin()
    run.append_epoch({"epoch": 1, "train/loss": 0.5})
    with (run.path / "metrics.jsonl").open("a") as journal:
        journal.write('{"epoch": 2, "train/lo')
    assert run.epochs() == [{"epoch": 1, "train/loss": 0.5}]
    run.write_epochs(run.epochs())
    run.append_epoch({"epoch": 2})
    assert [line["epoch"] for line in run.epochs()] == [1, 2]


def test_a_damaged_or_missing_record_is_not_a_run(tmp_path, begin):
    run = begin()
    (run.path / "status.json").write_text("{")
    with pytest.raises(NotFoundError, match=r"status\.json: not valid"):
        _ = run.status
    with pytest.raises(NotFoundError, match=r"not a run: it has no run\.json"):
        _ = Run(tmp_path / "nothing").record


def test_numbers_are_written_as_json(begin):
    run = begin()
    run.append_epoch({"epoch": 1, "train/loss": 0.1})
    assert json.loads((run.path / "metrics.jsonl").read_text()) == run.epochs()[0]


def test_runs_live_beside_what_mlflow_keeps():
    assert RunStore().root.parts[0] == "mlruns"


@pytest.mark.parametrize("name", ["run.json", "status.json"])
def test_a_torn_record_is_skipped_and_named_and_the_others_are_there(tmp_path, begin, name):
    torn, whole = begin(), begin(seed=1)
    (torn.path / name).write_text('{"status": "FINI')
    store = RunStore(tmp_path / "runs")
    assert store.all() == [whole]
    runs, (problem,) = store.scan()
    assert runs == [whole]
    assert str(torn.path / name) in problem
    assert store.end_dead() == [whole]
    assert store.find("latest") == whole
    assert begin().path.exists()  # of the torn one's spec


def test_going_on_with_a_finished_run_leaves_it_but_for_what_was_half_written(finished, tmp_path):
    run = Run(Path(shutil.copytree(finished.path, tmp_path / finished.path.name)))
    torn = run.path / ".published.json-1-2.tmp"
    torn.touch()
    before = run.result
    assert execute(run.spec(), RunOptions(tmp_path, device="cpu"), resume=run) == run
    assert not torn.exists()
    assert run.result == before
    with run.held(), pytest.raises(BusyError):
        execute(run.spec(), RunOptions(tmp_path, device="cpu"), resume=run)


def test_where_there_are_no_runs_the_nearest_folder_above_with_some_is_told(tmp_path, monkeypatch):
    (tmp_path / "mlruns" / "lenetctl").mkdir(parents=True)
    deep = tmp_path / "experiments" / "exercise1"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    there = re.escape(f"; there are runs in {tmp_path}: cd {Path('..', '..')}")
    with pytest.raises(NotFoundError, match=there):
        RunStore().find("latest")
    monkeypatch.chdir(tmp_path)
    assert RunStore().elsewhere() == ""


def test_the_spec_of_a_run_is_read_without_yaml(tmp_path, digits, monkeypatch):
    run = execute(digits(epochs=1), RunOptions(tmp_path, device="cpu"))
    monkeypatch.setattr(specs, "load_spec", lambda path: pytest.fail(f"{path} was parsed"))
    assert run.spec() == digits(epochs=1)


def test_a_spec_in_the_record_that_is_not_valid_is_read_from_its_file(tmp_path, digits):
    with started(tmp_path, digits()) as run:
        run.write_record(run.record.model_copy(update={"spec": {"of_a_later_version": 1}}))
        assert run.spec() == digits()


def test_tags_are_laid_over_those_that_are_there(tmp_path, begin):
    run, store = begin(), RunStore(tmp_path / "runs")
    run.write_record(run.record.model_copy(update={"tags": {"lenetctl.sweep": "x"}}))
    store.tag(run, {"who": "Ann", "good": "yes"})
    store.tag(run, {"who": "Bo", "good": None, "never": None})
    assert run.record.tags == {"lenetctl.sweep": "x", "who": "Bo"}
    assert run.record.own_tags == {"who": "Bo"}


def test_a_run_is_removed_unless_it_is_in_training(tmp_path, begin):
    run, other, store = begin(), begin(seed=1), RunStore(tmp_path / "runs")
    with run.held(), pytest.raises(BusyError):
        store.remove(run)
    store.remove(run)
    assert store.all() == [other]
    assert not list(store.root.glob(".removed-*"))
