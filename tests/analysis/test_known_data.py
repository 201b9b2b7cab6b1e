import shutil

import pytest
from PIL import Image

from lenetctl.analysis.activations import InspectedNet, choose_inputs, compute_activations
from lenetctl.analysis.known_data import dataset_of
from lenetctl.data.dataset import load_dataset
from lenetctl.errors import DataError
from lenetctl.runs.execute import execute
from lenetctl.runs.options import RunOptions


def test_pictures_need_no_data_set(tmp_path, digits):
    for split in ("train", "test"):
        for name, level in (("cat", 200), ("dog", 250)):
            (tmp_path / "pets" / split / name).mkdir(parents=True)
            Image.new("L", (30, 20), level).save(tmp_path / "pets" / split / name / "one.png")
    data = {"dataset": "folder", "folder": "pets", "limit": None, "normalize": "standard"}
    run = execute(digits(data=data, epochs=1), RunOptions(tmp_path / "runs", tmp_path))
    whole = load_dataset(run.spec().data, tmp_path)
    photo = (tmp_path / "pets/test/dog/one.png").rename(tmp_path / "photo.png")
    shutil.rmtree(tmp_path / "pets")

    net = InspectedNet.trained(run, None)
    found = dataset_of(net, tmp_path, with_images=False)
    assert (found.classes, found.convention) == (whole.classes, whole.convention)
    assert (found.mean, found.std) == (whole.mean, whole.std)
    inputs = choose_inputs(found, [], 2, [photo])
    (prediction,) = compute_activations(net, found, inputs, ["act1"]).predictions
    assert prediction.label == "photo.png"
    with pytest.raises(DataError):
        dataset_of(net, tmp_path, with_images=True)

    older = run.record.model_copy(update={"data": run.record.data.model_copy(update={"fit": ""})})
    run.write_record(older)  # which knew too little of a folder
    with pytest.raises(DataError):
        dataset_of(net, tmp_path, with_images=False)
