import optuna
import pytest

from lenetctl.figures.effects.search import pareto_front, study_pictures, trade_off

optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture(scope="module")
def study():
    made = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(0))
    made.optimize(
        lambda trial: (
            trial.suggest_float("training.optimizer.lr", 0.01, 1, log=True)
            + (trial.suggest_categorical("model.pool.kind", ['"avg"', '"max"']) == '"max"')
        ),
        n_trials=12,
    )
    return made


def test_optunas_own_pictures(study, rendered):
    pictures = study_pictures(study)
    assert [*pictures] == ["history", "importances", "slices", "parallel-coordinates"]
    for figure in pictures.values():
        rendered(figure)
    slices = pictures["slices"].axes
    assert {axes.get_xlabel() for axes in slices} >= {"training.optimizer.lr", "model.pool.kind"}


def test_one_trial_is_enough_for_a_picture():
    study = optuna.create_study(direction="maximize")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert "history" in study_pictures(study)


def test_the_front_is_what_nothing_cheaper_is_as_good_as():
    points = [(100, 0.8), (50, 0.7), (200, 0.8), (50, 0.6), (300, 0.9), (400, 0.85)]
    assert pareto_front(points) == [(50, 0.7), (100, 0.8), (300, 0.9)]


def test_accuracy_against_size(assert_tidy):
    points = [(61_706, 416_520, 0.81), (3_000, 40_000, 0.7), (9_000, 500_000, 0.79)]
    figure = trade_off(points, "validation/accuracy", "search: what accuracy costs")
    parameters, operations = figure.axes
    assert len(parameters.lines[2].get_xdata()) == 3
    assert list(operations.lines[2].get_xdata()) == [40_000, 416_520]
    assert_tidy(figure)
