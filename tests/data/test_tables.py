import numpy as np
import pytest

from lenetctl.data.dataset import load_dataset
from lenetctl.data.tables import read_tables
from lenetctl.errors import DataError
from lenetctl.specs.schema import DataSpec

RNG = np.random.default_rng(0)
TRAIN, TEST = (RNG.integers(0, 256, (n, 28, 28), dtype=np.uint8) for n in (40, 20))
TRAIN[:, [0, -1]] = TRAIN[:, :, [0, -1]] = 0
LABELS = np.arange(40) % 10


def write_csv(path, images, labels, header):
    rows = np.column_stack([labels, images.reshape(len(images), -1)])
    np.savetxt(path, rows, "%d", ",", header=header, comments="")


@pytest.fixture
def tables(tmp_path):
    """A folder called `kaggle`, to put tables in."""
    (tmp_path / "kaggle").mkdir()
    return tmp_path / "kaggle"


@pytest.mark.parametrize("header", ["", "label," + ",".join(f"pixel{n}" for n in range(1, 785))])
def test_kaggles_csv_and_kerass_npz_are_data_sets(tables, header):
    write_csv(tables / "fashion-mnist_train.csv", TRAIN, LABELS, header.strip())
    write_csv(tables / "fashion-mnist_test.csv", TEST, LABELS[:20], header.strip())
    data = DataSpec(dataset="folder", folder="kaggle")
    of_csv = load_dataset(data, tables.parent)
    assert of_csv.classes == tuple("0123456789")
    np.testing.assert_array_equal(of_csv.train.images, TRAIN)
    assert of_csv.test.labels.tolist() == LABELS[:20].tolist()
    assert (of_csv.convention.background, of_csv.convention.inverts) == ("dark", True)
    for path in tables.iterdir():
        path.unlink()
    np.savez_compressed(
        tables / "mnist.npz", x_train=TRAIN, y_train=LABELS, x_test=TEST, y_test=LABELS[:20]
    )
    assert load_dataset(data, tables.parent).digest == of_csv.digest


def test_there_are_no_tables(tables):
    assert read_tables(tables) is None
    (tables / "train.csv").touch()
    assert read_tables(tables) is None
    with pytest.raises(DataError, match="or tables"):
        load_dataset(DataSpec(dataset="folder", folder="kaggle"), tables.parent)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x_train": TRAIN}, "must hold the arrays x_train, y_train"),
        ({"x_train": TRAIN / 255}, "must hold whole numbers"),
        ({"x_train": TRAIN[:, :9]}, r"not uint8 \(40, 9, 28\)"),
        ({"x_train": np.array([None])}, "cannot be read .*pickle"),
        ({"x_train": TRAIN.astype(int) - 1}, "not from 0 to 255"),
        ({"y_train": LABELS + 5}, "labels up to 14, but a net has 10 outputs"),
        ({"y_train": LABELS[:9]}, "40 images but 9 labels"),
    ],
)
def test_an_archive_that_is_none_is_named(tables, arrays, message):
    whole = {"x_train": TRAIN, "y_train": LABELS, "x_test": TEST, "y_test": LABELS[:20]}
    if message.startswith("must hold the arrays"):
        whole = {}
    np.savez(tables / "mnist.npz", **(whole | arrays))
    with pytest.raises(DataError, match=message):
        load_dataset(DataSpec(dataset="folder", folder="kaggle"), tables.parent)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2,3\n", "test.csv: 3 columns, not a label and 784 pixels: Kaggle's test.csv has no"),
        ("1," + "x," * 783 + "x\n1\n", "test.csv: cannot be read"),
        ("5" + ",256" * 784, "test.csv: its pixels are not from 0 to 255"),
        ("5" + ",0.5" * 784, "test.csv: cannot be read"),
    ],
)
def test_a_csv_that_is_none_is_named(tables, text, message):
    write_csv(tables / "train.csv", TRAIN, LABELS, "")
    (tables / "test.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        read_tables(tables)
