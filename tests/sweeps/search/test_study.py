import pytest
from helpers.searches import RATE, SPACE, SPEC, lock, rate
from helpers.sweeps import serial

from lenetctl.errors import BusyError
from lenetctl.runs.options import RunOptions
from lenetctl.runs.store import RunStore
from lenetctl.sweeps.claims import make_claims_folder
from lenetctl.sweeps.events import Decision, TrialEvent


def test_trials_are_counted_over_commands(study, ran):
    names = []
    with study(trials=3) as first:
        for trial in first:
            names.append(trial.name)
            first.on_event(TrialEvent(trial.sha256, "finished", ran(trial, rate(trial))))
        assert first.left == 0
    with study(trials=5) as second:
        assert second.left == 2
        for trial in second:
            names.append(trial.name)
            second.on_event(TrialEvent(trial.sha256, "finished", ran(trial, rate(trial))))
        best = second.best
    assert len(set(names)) == 5
    assert best[RATE] == max(float(name.split("lr=")[1].split("-")[0]) for name in names)
    with study(trials=5) as third:
        assert list(third) == []


def test_what_was_left_half_done_is_asked_for_first(study, ran):
    with study() as killed:
        stopped = next(iter(killed))
    with study() as again:
        trials = iter(again)
        first = next(trials)
        assert first.sha256 == stopped.sha256
        again.on_event(TrialEvent(first.sha256, "finished", ran(first, 0.5)))
        assert again.left == 4
        assert next(trials).sha256 != stopped.sha256


def test_a_failed_trial_counts_a_killed_one_does_not(study):
    with study() as one:
        trials = iter(one)
        one.on_event(TrialEvent(next(trials).sha256, "failed"))
        one.on_event(TrialEvent(next(trials).sha256, "killed"))
        assert one.left == 4


def test_equal_trials_are_run_once_and_impossible_ones_never(study, ran):
    # a kernel of 13 leaves 1×1 or 2×2, which a pool of 3 does not fit
    with study("model.conv.1.kernel=5,13", "model.pool.size=2,3", trials=12) as one:
        seen = []
        for trial in one:
            seen.append(trial.sha256)
            one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.5)))
        assert one.left == 0
    assert len(seen) == len(set(seen)) == 3


def test_the_median_rule_ends_a_run_that_stays_behind(study, ran):
    with study(trials=8, pruner="median") as one:
        trials = iter(one)
        for _ in range(5):
            good = next(trials)
            one.on_event(TrialEvent(good.sha256, "epoch_end", ran(good, *[0.8] * 10)))
            one.on_event(TrialEvent(good.sha256, "finished", ran(good, *[0.8] * 10)))
        poor = next(trials)
        early = one.on_event(TrialEvent(poor.sha256, "epoch_end", ran(poor, *[0.3] * 4)))
        assert early is Decision.CONTINUE
        later = one.on_event(TrialEvent(poor.sha256, "epoch_end", ran(poor, *[0.3] * 7)))
        assert later is Decision.PRUNE
        one.on_event(TrialEvent(poor.sha256, "pruned", ran(poor, *[0.3] * 7)))
        assert one.left == 2
        late = next(trials)  # a run that is over is not given up
        over = one.on_event(TrialEvent(late.sha256, "epoch_end", ran(late, *[0.3] * 10)))
        assert over is Decision.CONTINUE


def test_a_trial_of_several_seeds_counts_with_their_mean(study, ran):
    with study(trials=2, seeds=3) as one:
        runs = list(one)
        assert [run.spec.training.seed for run in runs] == [0, 1, 2, 0, 1, 2]
        assert len({run.sha256 for run in runs}) == 6
        lucky, steady = runs[:3], runs[3:]
        for run, accuracy in zip(lucky, (0.9, 0.1, 0.2), strict=True):
            assert one.left == 2
            one.on_event(TrialEvent(run.sha256, "finished", ran(run, accuracy)))
        for run in steady:
            one.on_event(TrialEvent(run.sha256, "skipped", ran(run, 0.6)))
        assert one.left == 0
        assert one.best[RATE] == rate(steady[0])
        assert [value for _, value in one.accuracies] == pytest.approx([0.4, 0.6])
    with study(trials=2) as other:  # a study of its own
        assert other.left == 2


def test_a_trial_with_a_failed_seed_has_no_mean(study, ran):
    with study(trials=1, seeds=2) as one:
        good, bad = one
        one.on_event(TrialEvent(good.sha256, "finished", ran(good, 0.9)))
        one.on_event(TrialEvent(bad.sha256, "failed"))
        assert (one.left, one.best) == (0, None)


def test_batches_are_asked_for_when_those_before_have_ended(study, ran):
    with study(trials=7, sampler="tpe", seeds=2) as one:
        sizes = []
        for batch in one.batches(3):
            sizes.append(len(batch))
            for run in batch:
                one.on_event(TrialEvent(run.sha256, "finished", ran(run, rate(run))))
        assert sizes == [6, 6, 2]
    with study(trials=9, sampler="tpe", seeds=2) as stuck:  # whatever never ends is left alone
        assert [len(batch) for batch in stuck.batches(2)] == [4]


def test_what_is_no_run_of_the_search_is_none_of_its_business(study, ran):
    with study(trials=1) as one:
        list(one)
        fresh = one.search.fresh_runs({}, 2)
        assert [trial.spec.training.seed for trial in fresh] == [1, 2]
        for trial in fresh:
            one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.9)))
        assert one.left == 1


def test_a_search_is_one_process_at_a_time(study):
    with study(), pytest.raises(BusyError, match="another process"), study():
        pass


def test_a_pruned_run_says_so_and_the_search_goes_on(study, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "runs"
    make_claims_folder(root)
    spec = SPEC.replace("10", "3").replace("100", "100, limit: 256")
    with study(trials=2, spec=spec) as one:
        given_up = []

        def prune_the_first(event):
            one.on_event(event)
            if event.kind == "pruned":
                given_up.append(event)
            return Decision.CONTINUE if given_up else Decision.PRUNE

        serial(one, RunOptions(root, device="cpu"), prune_the_first)
        assert one.left == 0
    pruned, finished = RunStore(root).all()
    assert [event.run for event in given_up] == [pruned]
    assert (pruned.status.state, pruned.status.outcome) == ("KILLED", "pruned")
    assert len(pruned.epochs()) == 1
    assert finished.status.state == "FINISHED"


def test_the_order_in_which_a_space_is_written_does_not_matter(study, ran):
    rates = SPACE[0]
    with study(rates, "model.pool.kind=avg,max", trials=2) as one:
        for trial in one:
            one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.5)))
    with study("model.pool.kind=max,avg", rates, trials=3) as other:
        assert other.left == 1
        assert len(list(other)) == 1


def test_a_lock_in_mid_search_fails_no_run_and_what_it_taught_is_told_later(
    study, ran, tmp_path, monkeypatch
):
    monkeypatch.setattr("lenetctl.sweeps.search.database.LONGEST_LOCK", 0.1)
    with study(trials=3) as one:
        trials = iter(one)
        first = next(trials)
        with lock(tmp_path / "optuna.db"):
            for kind in ("epoch_end", "finished"):
                decision = one.on_event(TrialEvent(first.sha256, kind, ran(first, 0.9)))
                assert decision is Decision.CONTINUE
        assert one.left == 3
        for trial in trials:
            one.on_event(TrialEvent(trial.sha256, "finished", ran(trial, 0.1)))
        assert one.left == 0
        assert one.best[RATE] == rate(first)
