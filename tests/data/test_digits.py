import numpy as np
from sklearn.datasets import load_digits

from lenetctl.data import digits


def test_the_split_is_fixed_stratified_and_whole():
    source = digits.read_digits()
    assert source.train.images.shape == (1437, 28, 28)
    assert source.test.images.shape == (360, 28, 28)
    assert source.train.images.dtype == np.uint8
    everything = np.bincount(load_digits().target)
    taken = np.bincount(source.test.labels)
    assert np.abs(taken - everything / 5).max() < 1


def test_pixels_run_from_black_to_white_and_corners_stay():
    small = np.zeros((1, 8, 8), np.int64)
    small[0, 0, 0], small[0, 7, 7] = 16, 8
    large = digits._enlarge(small)[0]
    assert (large[0, 0], large[27, 27], large[0, 27]) == (255, 128, 0)


def test_enlarging_is_torchs_bilinear():
    from torch import from_numpy
    from torch.nn.functional import interpolate

    small = load_digits().images[:50]
    ours = digits._enlarge(small.astype(np.int64))
    theirs = interpolate(from_numpy(small)[:, None], size=28, mode="bilinear")[:, 0].numpy()
    assert np.abs(ours - theirs * 255 / 16).max() <= 0.5 + 1e-6


def test_the_file_and_scikit_learns_own_reader_agree(monkeypatch):
    quick = digits._table()
    monkeypatch.setattr(digits, "FILE", "moved")
    np.testing.assert_array_equal(digits._table(), quick)
