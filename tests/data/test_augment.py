import pytest
import torch

from lenetctl.data.augment import augment_images
from lenetctl.specs.data import Affine, Erase, Flip, Shift

COUNT = 200


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    return torch.rand(COUNT, 1, 28, 28, generator=generator(99)) + 0.1  # nowhere black


def changed(before, after):
    return (before != after).flatten(1).any(1)


def test_flip_with_certainty_mirrors_every_image(images):
    assert torch.equal(
        augment_images(images, [Flip(kind="flip", p=1.0)], generator()), images.flip(3)
    )
    assert torch.equal(augment_images(images, [Flip(kind="flip", p=0.0)], generator()), images)


def test_flip_decides_for_each_image(images):
    flipped = augment_images(images, [Flip(kind="flip", p=0.5)], generator())
    which = changed(images, flipped)
    assert 60 < which.sum() < 140
    assert torch.equal(flipped[which], images[which].flip(3))


def test_shift_moves_whole_pixels_and_lets_black_in(images):
    shifted = augment_images(images, [Shift(kind="shift", pixels=3)], generator())
    seen = set()
    for before, after in zip(images[:, 0], shifted[:, 0], strict=True):
        inside = after.nonzero()
        top, left = inside.min(0).values.tolist()
        bottom, right = (27 - inside.max(0).values).tolist()
        down, over = top or -bottom, left or -right
        expected = before.roll((down, over), (0, 1))
        for axis, by in ((0, down), (1, over)):
            lost = range(by) if by > 0 else range(28 + by, 28)
            expected.index_fill_(axis, torch.tensor(list(lost), dtype=torch.long), 0.0)
        assert torch.equal(after, expected)
        seen.add((down, over))
    assert max(abs(by) for move in seen for by in move) == 3
    assert len(seen) > 30  # of 49


def test_the_largest_shift_is_possible(images):
    shifted = augment_images(images, [Shift(kind="shift", pixels=27)], generator())
    assert shifted.shape == images.shape


def test_erase_blackens_one_square_inside_the_image(images):
    erased = augment_images(images, [Erase(kind="erase", p=1.0, pixels=5)], generator())
    corners = set()
    for before, after in zip(images[:, 0], erased[:, 0], strict=True):
        black = (after == 0).nonzero()
        (top, left), (bottom, right) = black.min(0).values.tolist(), black.max(0).values.tolist()
        assert (len(black), bottom - top, right - left) == (25, 4, 4)
        assert torch.equal(after[after != 0], before[after != 0])
        corners.add((top, left))
    rows, columns = zip(*corners, strict=True)
    assert (min(rows), max(rows), min(columns), max(columns)) == (0, 23, 0, 23)


def test_erase_decides_for_each_image(images):
    erased = augment_images(images, [Erase(kind="erase", p=0.5)], generator())
    assert 60 < changed(images, erased).sum() < 140
    whole = augment_images(images, [Erase(kind="erase", p=1.0, pixels=28)], generator())
    assert whole.count_nonzero() == 0


def affine(**limits):
    return Affine(**{"kind": "affine", "degrees": 0, "translate": 0, "scale": 0, **limits})


def blobs(row, column):
    """Return images of one 4×4 blob, whose centre is easily followed."""
    images = torch.zeros(COUNT, 1, 28, 28)
    images[:, :, row : row + 4, column : column + 4] = 1.0
    return images


def centres(images):
    """Return the centre of mass (N, 2) in pixels right and down from the middle."""
    place = torch.arange(28) - 13.5
    mass = images.sum((1, 2, 3))
    return torch.stack(
        [(images.sum((1, 2)) * place).sum(1) / mass, (images.sum((1, 3)) * place).sum(1) / mass], 1
    )


def test_affine_without_limits_changes_nothing(images):
    torch.testing.assert_close(augment_images(images, [affine()], generator()), images)


def test_affine_translates_by_at_most_a_fraction_of_the_side():
    before = blobs(12, 12)
    moves = centres(augment_images(before, [affine(translate=0.25)], generator())) - centres(before)
    assert 6.5 < moves.abs().max() <= 7.0 + 1e-3
    assert moves.std(0).min() > 3  # uniform over ±7: 4.04


def test_affine_rotates_about_the_middle():
    before = blobs(12, 20)  # 8 pixels to the right
    after = centres(augment_images(before, [affine(degrees=90.0)], generator()))
    torch.testing.assert_close(after.norm(dim=1), torch.full((COUNT,), 8.0), atol=0.1, rtol=0)
    angles = torch.atan2(after[:, 1], after[:, 0]).rad2deg()
    assert -91 < angles.min() < -80
    assert 80 < angles.max() < 91


def test_affine_scales_about_the_middle():
    after = centres(augment_images(blobs(12, 20), [affine(scale=0.2)], generator()))
    ratio = after[:, 0] / 8
    assert 0.79 < ratio.min() < 0.83
    assert 1.17 < ratio.max() < 1.21
    assert after[:, 1].abs().max() < 0.01


def test_affine_shears_rows_against_each_other():
    after = centres(augment_images(blobs(4, 12), [affine(shear=30.0)], generator()))  # 8 pixels up
    assert 4.2 < after[:, 0].abs().max() < 4.7  # 8 tan 30° = 4.62
    torch.testing.assert_close(after[:, 1], torch.full((COUNT,), -8.0), atol=0.1, rtol=0)


def test_affine_applies_the_parts_one_after_the_other():
    before = blobs(12, 12)
    after = augment_images(before, [affine(degrees=180.0, shear=20.0, translate=0.2)], generator())
    areas = after.sum((1, 2, 3)) / before.sum((1, 2, 3))
    torch.testing.assert_close(areas, torch.ones(COUNT), atol=0.1, rtol=0)  # but for the scale
    assert 5.3 < centres(after).abs().max() < 5.7  # moved last, by up to 5.6 along each axis


def test_affine_lets_black_in():
    after = augment_images(torch.ones(COUNT, 1, 28, 28), [affine(translate=0.5)], generator())
    assert (after.flatten(1).min(1).values < 1e-3).float().mean() > 0.9
    assert after.max() <= 1 + 1e-5


KINDS = [Flip(kind="flip"), Shift(kind="shift"), Affine(kind="affine"), Erase(kind="erase")]


def test_augmentation_is_a_function_of_its_generator(images):
    state = torch.get_rng_state()
    first = augment_images(images, KINDS, generator(1))
    assert torch.equal(first, augment_images(images, KINDS, generator(1)))
    assert changed(first, augment_images(images, KINDS, generator(2))).all()
    assert torch.equal(state, torch.get_rng_state())
