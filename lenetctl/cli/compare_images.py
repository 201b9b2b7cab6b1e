"""`lenetctl compare --images`: each group beside the control, image by image."""

from __future__ import annotations

from pathlib import Path

from lenetctl.analysis.comparison import Comparison
from lenetctl.analysis.effects.images import ImageComparison, compare_images, images_right
from lenetctl.analysis.groups import Group
from lenetctl.analysis.predictions import class_names
from lenetctl.artifacts import draw_gallery, file_stem
from lenetctl.cli.console import Console
from lenetctl.cli.views.effects import images as formats
from lenetctl.data.dataset import Dataset, load_dataset, numbered_as
from lenetctl.errors import DataError, UsageError

MOST = 25  # images of each side in a picture


def show_images(
    shown: Comparison, plot: Path | None, data_dir: Path | None, console: Console
) -> None:
    """Compare the runs of each group with those of the control; draw what only one side gets.

    Raises:
        UsageError: there is no control, nothing beside it, or not one test set.
        DataError: the images are not here, or have changed.
        NotFoundError: a run keeps no predictions.

    """
    control, others = _sides(shown)
    first = next(iter(control.runs.values()))
    dataset = load_dataset(first.run.spec().data, data_dir)
    if dataset.digest != first.identity[1]:
        raise DataError(f"the images of {dataset.name} have changed since {first.run.path.name}")
    if first.run.classes:  # a folder's classes can have changed since
        dataset = numbered_as(dataset, first.run.classes)
    labels = dataset.test.labels.numpy()
    theirs = images_right(control, labels)
    found = {group.name: compare_images(images_right(group, labels), theirs) for group in others}
    if plot:
        for name, one in found.items():
            _draw(name, control.name, one, dataset, plot, console)
    if console.as_json:
        console.result(formats.images_document(found, control.name), "")
    else:
        formats.print_images(found, control.name, console)


def _sides(shown: Comparison) -> tuple[Group, list[Group]]:
    """Return the control and the groups to compare with it; of two groups the second is it."""
    if shown.by:
        raise UsageError("--images compares specs over their seeds: leave out --group-by")
    groups = shown.groups
    control = shown.control or (groups[-1] if len(groups) == 2 else None)
    others = [group for group in groups if group is not control]
    if control is None or not others:
        raise UsageError("--images: name a --control, one of two groups or more")
    if len({run.identity[1] for run in shown.runs}) > 1:
        raise UsageError("--images: the runs have different test images")
    return control, others


def _draw(
    name: str, control: str, one: ImageComparison, dataset: Dataset, plot: Path, console: Console
) -> None:
    classes = class_names(dataset)
    labels = [classes[label] for label in dataset.test.labels.tolist()]
    captions = formats.image_captions(name, control, one, labels, MOST)
    if not captions:
        console.say(f"{name}: no image that every net of one side gets and none of the other's")
        return
    file = plot.with_stem(f"{plot.stem}-{file_stem(name)}-images")
    images = dataset.test.images.numpy()[[index for index, _ in captions]]
    always, never = len(one.always), len(one.never)
    title = f"{always} images that {name} always gets and {control} never; {never} the other way"
    draw_gallery(images, [caption for _, caption in captions], title, file)
    console.say(f"{file} drawn")
