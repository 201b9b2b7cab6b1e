"""The JSON files of a run's folder as frozen records.

Keys that a record does not know are ignored, and those that an older version did not write have
defaults: a folder of any released version can be read.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lenetctl.specs.data import LimitKeeps
from lenetctl.specs.layers import INPUT_SHAPE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Status = Literal["RUNNING", "FINISHED", "FAILED", "KILLED"]


class Record(BaseModel):
    """What one file holds, as it was when it was read."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", validate_by_name=True, ser_json_inf_nan="constants"
    )

    def to_json(self) -> str:
        """Return the text of the file."""
        return self.model_dump_json(indent=1, by_alias=True)


class DataRecord(Record):
    """The data set of a run: its size in images, and how pixels in [0, 1] were normalised."""

    name: str = ""
    classes: tuple[str, ...] = ()  # in the order of the net's outputs
    digest: str = ""  # SHA-256, see `lenetctl.data.dataset.Dataset`
    train: int = 0
    validation: int = 0
    test: int = 0
    limit_keeps: LimitKeeps = "first"  # as 0.1.0 did; see `lenetctl.data.dataset.load_dataset`
    mean: float = 0.0
    std: float = 1.0
    # how a user's picture becomes such an image, see `lenetctl.data.images.ImageConvention`
    fit: Literal["stretch", "pad", "digit", ""] = ""  # "": made by an older version
    background: Literal["dark", "light"] = "dark"
    inverts: bool = True


class EnvironmentRecord(Record):
    """Versions, platform, and the commit of the working directory; "" where there is none."""

    lenetctl: str = ""
    torch: str = ""
    python: str = ""
    platform: str = ""
    git_commit: str = ""
    git_dirty: str = ""  # true or false


class RunRecord(Record):
    """`run.json`: what, but for the tags, does not change once a run has begun."""

    name: str  # in MLflow: spec, swept values, seed
    spec_sha256: str
    spec: dict[str, Any] | None = None  # resolved, as spec.yaml has it, which takes longer to read
    created: int = 0  # ms since 1970
    user: str = ""  # whose run it is; "": made by an older version
    imported: bool = False  # by `lenetctl runs import`: it is not done anew, nor gone on with, here
    experiment: str = "lenet"
    command: str = ""  # what repeats the run
    tags: dict[str, str] = {}
    data: DataRecord = DataRecord()
    device: str = ""
    device_index: int | None = None  # of several CUDA devices, as torch counts them
    parameters: int = 0
    environment: EnvironmentRecord = EnvironmentRecord()
    engine: str = "eager"
    continues: str = ""  # folder of the run whose epochs it began with; "": it began with none
    keep_epochs: bool = False  # the weights of each epoch stay

    @property
    def own_tags(self) -> dict[str, str]:
        """The tags that its user gave it."""
        return {key: value for key, value in self.tags.items() if not key.startswith("lenetctl.")}

    @property
    def machine(self) -> str:
        """On what the bits of a result depend beside spec and data."""
        return f"{self.device}, torch {self.environment.torch}, engine {self.engine}"


class StatusRecord(Record):
    """`status.json`: what has become of a run."""

    state: Status = Field(alias="status")
    outcome: str = ""  # finished, plateau, diverged, pruned, failed, killed; "" while it runs
    message: str = ""
    started: int = 0  # ms since 1970
    ended: int | None = None
    pid: int | None = None


class ResultRecord(Record):
    """`result.json`: what a run came to, once it has finished."""

    weights: Literal["best", "last"] = "last"  # which ones were measured on the test set
    final: dict[str, float]  # the last epoch's metrics by name
    best: dict[str, int | float]  # the best epoch's, and its number as `epoch`
    examples_per_second: float = 0.0  # of training, over all epochs
    confusion: list[list[int]] = []  # counts on the test set; rows: truth
    classes: list[str] = []


class MistakeRecord(Record):
    """An image of the test set that the net takes for what it is not."""

    index: int  # in the test set, from 0
    truth: int  # class, from 0
    prediction: int
    probability: float  # of the prediction
    pixels: str  # base64 of 28×28 bytes of grey, row by row

    @classmethod
    def of(
        cls, index: int, truth: int, prediction: int, probability: float, image: NDArray[np.uint8]
    ) -> MistakeRecord:
        """Write down an image (28, 28)."""
        pixels = b64encode(image.tobytes()).decode()
        return cls(
            index=index, truth=truth, prediction=prediction, probability=probability, pixels=pixels
        )

    @property
    def image(self) -> NDArray[np.uint8]:
        """The image, (28, 28)."""
        import numpy as np  # noqa: PLC0415  most commands read records and have no arrays

        return np.frombuffer(b64decode(self.pixels), np.uint8).reshape(INPUT_SHAPE[1:])


class MistakesRecord(Record):
    """`mistakes.json`: the test images that a finished run gets wrong, the most confident first."""

    mistakes: list[MistakeRecord]


class ClassRecord(Record):
    """One class of an evaluation."""

    precision: float | None  # None where the class was never predicted
    recall: float | None  # None where there is no image of it
    count: int


class EvaluationRecord(Record):
    """`evaluations/*.json`: a run measured again; the document of `lenetctl eval --json`."""

    run_id: str | None = None  # MLflow's
    name: str  # the run's
    dataset: str
    split: str
    weights: str  # best or last
    tta: bool = False  # test-time augmentation: averaged with the mirror image
    loss: float  # mean cross-entropy in nats
    accuracy: float
    per_class: dict[str, ClassRecord]
    confusion: list[list[int]]  # counts; rows: truth

    @property
    def key(self) -> str:
        """What was measured: the stem of its files, and its part of a metric's name."""
        key = f"{self.dataset}-{self.split}-{self.weights}{'-tta' if self.tta else ''}"
        return re.sub(r"[^\w .-]", "-", key, flags=re.ASCII)  # what MLflow takes


class PublishedRecord(Record):
    """`published.json`: how much of a run MLflow has."""

    tracking_uri: str = ""  # without user, password and token
    run_id: str | None = None
    epochs: int = 0
    evaluations: dict[str, str] = {}  # SHA-256 of each file by its name
    activations: dict[str, str] = {}
    insights: dict[str, str] = {}
    tags: dict[str, str] = {}  # those of the user
    status: str = ""  # the last one that was published


def confusion_of(matrix: NDArray[Any], classes: int) -> NDArray[Any]:
    """Return of a net's confusion, (10, 10) counts, the (K, K) of a set of K classes.

    Where some predictions are none of these classes, one more column counts them.
    """
    import numpy as np  # noqa: PLC0415

    rows = matrix[:classes]
    others = rows[:, classes:].sum(axis=1)
    return np.column_stack((rows[:, :classes], others)) if others.any() else rows[:, :classes]
