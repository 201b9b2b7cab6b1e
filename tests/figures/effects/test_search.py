import optuna
import pytest

from lenetctl.figures.effects.search import study_pictures

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
