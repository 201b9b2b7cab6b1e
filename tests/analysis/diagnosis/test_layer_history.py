import numpy as np

from lenetctl.analysis.diagnosis.layer_history import layer_history


def test_a_table_for_each_statistic():
    epochs = [
        {"epoch": 1, "train/loss": 2.3},  # begun without --diagnostics
        {"epoch": 2, "layers/conv1/gradient_norm": 0.1, "layers/output/gradient_norm": 1.0},
    ]
    history = layer_history(epochs)
    assert history.layers == ["conv1", "output"]
    assert list(history.tables) == ["gradient norm"]
    np.testing.assert_array_equal(history.tables["gradient norm"], [[np.nan, 0.1], [np.nan, 1.0]])
    assert layer_history(epochs[:1]).layers == []
