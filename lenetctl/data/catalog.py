"""The data sets that can be fetched, and the files that they consist of."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class DatasetFile:
    """One IDX file of a data set."""

    name: str
    item: tuple[int, ...]  # shape of one image, or of one label
    dtype: str  # numpy's, big-endian as IDX is
    sha256: str | None  # of the uncompressed file; None where none is published


@dataclass(frozen=True)
class DatasetInfo:
    """One data set in torchvision's layout."""

    torchvision: str  # name of its class there, and of its folder
    classes: tuple[str, ...]
    files: tuple[
        DatasetFile, DatasetFile, DatasetFile, DatasetFile
    ]  # train images, train labels, test images, test labels
    split: str | None = None  # that torchvision's class is told; EMNIST has several
    is_transposed: bool = False  # whether the images lie on their side, mirrored

    @property
    def folder(self) -> str:
        """Return where its files lie below the data folder."""
        return f"{self.torchvision}/raw"


def _mnist_files(*sha256: str | None) -> tuple[DatasetFile, DatasetFile, DatasetFile, DatasetFile]:
    train_images, train_labels, test_images, test_labels = sha256
    return (
        DatasetFile("train-images-idx3-ubyte", (28, 28), ">u1", train_images),
        DatasetFile("train-labels-idx1-ubyte", (), ">u1", train_labels),
        DatasetFile("t10k-images-idx3-ubyte", (28, 28), ">u1", test_images),
        DatasetFile("t10k-labels-idx1-ubyte", (), ">u1", test_labels),
    )


def _emnist(split: str) -> DatasetInfo:
    """Return a split of EMNIST of ten classes, as many as a net has outputs."""
    names = (
        f"emnist-{split}-{part}-{kind}"
        for part in ("train", "test")
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    files = (
        replace(file, name=name)
        for file, name in zip(_mnist_files(None, None, None, None), names, strict=True)
    )
    first, second, third, fourth = files
    return DatasetInfo(
        "EMNIST", _DIGITS, (first, second, third, fourth), split=split, is_transposed=True
    )


_DIGITS = tuple("0123456789")

CATALOG: dict[str, DatasetInfo] = {
    "fashion_mnist": DatasetInfo(
        "FashionMNIST",
        (
            "t-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        _mnist_files(
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        ),
    ),
    "mnist": DatasetInfo(
        "MNIST",
        _DIGITS,
        _mnist_files(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    # of those below no digest of the uncompressed files is published: torchvision checks the
    # MD5 of the archives as they are downloaded
    "kmnist": DatasetInfo(
        "KMNIST",
        ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"),
        _mnist_files(None, None, None, None),
    ),
    "qmnist": DatasetInfo(
        "QMNIST",
        _DIGITS,
        (
            DatasetFile("qmnist-train-images-idx3-ubyte", (28, 28), ">u1", None),
            DatasetFile("qmnist-train-labels-idx2-int", (8,), ">i4", None),  # column 0 is the class
            DatasetFile("qmnist-test-images-idx3-ubyte", (28, 28), ">u1", None),
            DatasetFile("qmnist-test-labels-idx2-int", (8,), ">i4", None),
        ),
    ),
    "emnist_digits": _emnist("digits"),
    "emnist_mnist": _emnist("mnist"),
}
