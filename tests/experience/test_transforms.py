"""Transforms: worked by hand, by brute force, and by their frequencies."""

import pickle

import numpy as np
import pytest

import minidl as dl
from minidl.experience.data import transforms as T

RANDOM = [
    T.RandomCrop(4, padding=1),
    T.RandomHorizontalFlip(),
    T.RandomRotation(30),
    T.RandomErasing(value=9.0),
]


class Drawn:
    """A generator that draws what it was given."""

    def __init__(self, *draws):
        self.draws = list(draws)

    def integers(self, *bounds, **options):
        return np.array(self.draws.pop(0))

    def uniform(self, low, high, shape):
        return np.broadcast_to(self.draws.pop(0), shape)

    def random(self, shape, *options):
        return np.reshape(self.draws.pop(0), shape)


def counted(*shape):
    return np.arange(1, np.prod(shape) + 1, dtype=np.float32).reshape(shape)


def test_normalize_takes_a_number_a_channel():
    images = np.stack([np.full((2, 2), 6.0), np.full((2, 2), 3.0)])[None]
    out = T.Normalize((4, 1), (2, 0.5))(images.astype(np.float32))
    assert out[0, 0].tolist() == [[1, 1]] * 2 and out[0, 1].tolist() == [[4, 4]] * 2
    assert out.dtype == np.float32
    assert T.Normalize(0.5, 2)(np.ones((1, 1, 1), np.uint8)).item() == 0.25


def test_normalized_mnist_has_mean_0_and_deviation_1():
    x = dl.data.load("mnist")[0].tensors[0].numpy()
    out = T.Normalize(x.mean(), x.std())(x)
    assert abs(out.mean()) < 1e-4 and abs(out.std() - 1) < 1e-4


def test_a_crop_by_hand():
    images = counted(2, 1, 2, 2)  # [[1 2] [3 4]] and [[5 6] [7 8]]
    out = T.RandomCrop(2, padding=1)(images, Drawn([0, 2], [1, 0]))
    assert out[:, 0].tolist() == [[[0, 0], [1, 2]], [[0, 7], [0, 0]]]


def test_every_crop_is_some_window_and_all_windows_come(rng):
    image = counted(1, 3, 4)
    seen = T.RandomCrop(2)(np.stack([image] * 200), rng)
    windows = [
        image[:, i : i + 2, j : j + 2].tobytes() for i in range(2) for j in range(3)
    ]
    assert {crop.tobytes() for crop in seen} == set(windows)


def test_a_flip_by_hand():
    images = counted(2, 1, 1, 3)
    out = T.RandomHorizontalFlip(0.5)(images, Drawn([0.4, 0.5]))
    assert out.reshape(2, 3).tolist() == [[3, 2, 1], [4, 5, 6]]


def test_a_quarter_turn_is_numpys(rng):
    images = rng.random((3, 2, 5, 5))
    out = T.RandomRotation(180)(images, Drawn(np.array([90.0, 180, 0])[:, None, None]))
    for image, turned, quarters in zip(images, out, (1, 2, 0)):
        assert (turned == np.rot90(image, quarters, (1, 2))).all()


def test_a_turn_leaves_the_centre_and_brings_in_zeros():
    out = T.RandomRotation(45)(np.ones((1, 1, 9, 9)), Drawn(45.0))[0, 0]
    assert out[4, 4] == 1 and out[2:7, 2:7].all()
    assert out[0, 0] == out[0, 8] == out[8, 0] == out[8, 8] == 0


def test_a_rectangle_by_hand():
    # Area 0.5 of 4 x 4 and ratio e^0.6931 = 2: 4 rows by 2 columns, from column 1.
    draws = Drawn([0.5], [np.log(2)], [0], [1], [0.0])
    out = T.RandomErasing(1.0, value=-1)(np.zeros((1, 2, 4, 4)), draws)
    assert out[0].tolist() == [[[0, -1, -1, 0]] * 4] * 2


def test_rectangles_have_the_areas_and_ratios_asked_for(rng):
    erase = T.RandomErasing(0.25, scale=(0.1, 0.2), ratio=(0.5, 2), value=1)
    out = erase(np.zeros((4000, 1, 40, 40)), rng)[:, 0]
    share = out.mean((1, 2))
    hit = share > 0
    # 4 standard deviations of the number of hits; half a pixel a side of rounding
    assert abs(hit.sum() - 1000) < 4 * np.sqrt(4000 * 0.25 * 0.75)
    assert 0.085 < share[hit].min() < 0.11 and 0.19 < share[hit].max() < 0.215
    rows, columns = out[hit].any(2).sum(1), out[hit].any(1).sum(1)
    assert (rows * columns == out[hit].sum((1, 2))).all()  # solid
    assert 0.45 < (rows / columns).min() < 0.6 and 1.7 < (rows / columns).max() < 2.2


@pytest.mark.parametrize("transform", RANDOM, ids=repr)
def test_each_image_draws_its_own_and_the_input_stays(transform, rng):
    images = np.stack([counted(3, 4, 4)] * 50)
    before = images.copy()
    out = transform(images, rng)
    assert out.shape == images.shape and out.dtype == images.dtype
    assert len({image.tobytes() for image in out}) > 1
    assert (images == before).all()


@pytest.mark.parametrize("transform", RANDOM, ids=repr)
def test_leading_dimensions_are_any(transform):
    images = counted(2, 3, 1, 4, 4)
    out = transform(images, np.random.default_rng(1))
    flat = transform(images.reshape(6, 1, 4, 4), np.random.default_rng(1))
    assert (out.reshape(flat.shape) == flat).all()
    assert transform(images[0, 0], np.random.default_rng(1)).shape == (1, 4, 4)


def test_compose_runs_in_order_and_takes_plain_functions(rng):
    steps = T.Compose([np.negative, T.Normalize(1, 2), T.RandomHorizontalFlip(0)])
    assert steps(np.ones((1, 1, 1, 1)), rng).item() == -1  # (-1 - 1) / 2
    names = "Compose([negative, Normalize(mean=1, std=2), RandomHorizontalFlip(p=0)])"
    assert repr(steps) == names


def test_transforms_can_be_sent_to_a_process(rng):
    images = counted(2, 1, 4, 4)
    for transform in RANDOM:
        copy = pickle.loads(pickle.dumps(T.Compose([transform])))
        draws = [np.random.default_rng(5) for _ in range(2)]
        assert (copy(images, draws[0]) == transform(images, draws[1])).all()


@pytest.mark.parametrize(
    "wrong, kind, words",
    [
        (lambda x, rng: T.Normalize(0, 0), ValueError, "std must be positive"),
        (lambda x, rng: T.RandomCrop(5)(x, rng), ValueError, "images 4 x 4"),
        (lambda x, rng: T.RandomHorizontalFlip(2), ValueError, "between 0 and 1"),
        (lambda x, rng: T.RandomErasing(-1), ValueError, "between 0 and 1"),
        (lambda x, rng: T.RandomCrop(2)(x[0, 0], rng), ValueError, r"\(4, 4\)"),
        (lambda x, rng: T.Compose([3]), TypeError, "function of images, got 3"),
    ],
)
def test_a_mistake_is_named(wrong, kind, words, rng):
    with pytest.raises(kind, match=words):
        wrong(counted(2, 1, 4, 4), rng)
