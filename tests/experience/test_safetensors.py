"""Files of tensors, against the reference implementation and against damage."""

import json
import os

import numpy as np
import pytest

import minidl as dl
from minidl import nn
from minidl.experience import files
from minidl.experience.safetensors import LONGEST_HEADER, read, save

reference = pytest.importorskip(
    "safetensors.numpy", reason="safetensors is the witness"
)
DTYPES = "bool uint8 int8 int16 int32 int64 float16 float32 float64".split()


def of_all_dtypes(rng):
    return {d: dl.tensor(rng.integers(0, 2, (2, 3)).astype(d)) for d in DTYPES}


def test_the_reference_reads_what_we_write(tmp_path, rng):
    tensors = of_all_dtypes(rng) | {"scalar": dl.tensor(2.5), "none": dl.zeros(0, 3)}
    tensors["turned"] = dl.tensor(rng.standard_normal((3, 4))).T
    save(tensors, tmp_path / "a", {"who": "we"})
    theirs = reference.load_file(tmp_path / "a")
    assert set(theirs) == set(tensors)
    for name, x in tensors.items():
        assert theirs[name].dtype == x.dtype and theirs[name].shape == x.shape
        assert (theirs[name] == x.numpy()).all()


def test_we_read_what_the_reference_writes(tmp_path, rng):
    arrays = {d: rng.integers(0, 2, (3, 2)).astype(d) for d in DTYPES}
    reference.save_file(arrays, tmp_path / "a", {"who": "they"})
    ours, metadata = read(tmp_path / "a")
    assert metadata == {"who": "they"} and set(ours) == set(arrays)
    for name, array in arrays.items():
        assert ours[name].dtype == array.dtype and (ours[name].numpy() == array).all()


def test_bfloat16_keeps_its_bits_in_both_directions(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    x = dl.randn(7).to(dl.bfloat16)
    dl.save({"x": x}, tmp_path / "a")
    theirs = load_file(tmp_path / "a")["x"]
    assert theirs.dtype == torch.bfloat16 and theirs.tolist() == x.tolist()
    save_file({"x": theirs * 3}, tmp_path / "b")
    assert dl.load(tmp_path / "b")["x"].tolist() == (theirs * 3).tolist()


def test_a_model_comes_back_bit_for_bit(tmp_path):
    def make():
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.GRU(4, 2))

    first, second = make(), make()
    first[1](dl.randn(9, 4))  # moves its running averages
    dl.save(first.state_dict(), tmp_path / "a")
    second.load_state_dict(dl.load(tmp_path / "a"))
    for (name, a), (_, b) in zip(first.state(), second.state(), strict=True):
        assert a.data.tobytes() == b.data.tobytes(), name


# ---- damage


def damaged(header=None, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if length is None else length
    return length.to_bytes(8, "little") + text + data


def entry(shape, start, end, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


DAMAGED = [
    (b"", "does not begin as one"),
    (b"PK\x03\x04" + b"x" * 99, "does not begin as one"),
    (damaged({}, length=LONGEST_HEADER + 1), "does not begin as one"),
    (damaged({}, length=50), "header has 50 bytes, 2 are there"),
    (damaged(b"{no json"), "is no safetensors file"),
    (damaged(b"[1, 2]"), "it is no dict"),
    (damaged({"w": [1]}), "lacks dtype, shape or data_offsets"),
    (damaged({"w": {"dtype": "F32"}}), "lacks dtype, shape or data_offsets"),
    (damaged({"w": entry([2], 0, 8, "F3")}, b"x" * 8), "w has the unknown dtype F3"),
    (damaged({"w": entry([3], 0, 8)}, b"x" * 8), "12 bytes, but has 8"),
    (damaged({"w": entry([2], 0, 8)}, b"x" * 7), "at w: it needs bytes 0 to 8"),
    (damaged({"w": entry([2], 0, 8)}, b"x" * 9), "goes on after its last tensor"),
    (damaged({"w": entry([2], 4, 12)}, b"x" * 12), "overlap or leave gaps"),
    (
        damaged({"v": entry([2], 0, 8), "w": entry([2], 4, 12)}, b"x" * 12),
        "overlap or leave gaps",
    ),
    (damaged({}, b"x"), "goes on after its last tensor"),
    (damaged({"w": entry([-2], 8, 0)}), r"w has the shape \(-2,\)"),
    (
        damaged({"w": entry([2], 0, 8) | {"data_offsets": [0, 8, 8]}}, b"x" * 8),
        "lacks dtype, shape or data_offsets",
    ),
]  # fmt: skip


@pytest.mark.parametrize("content, words", DAMAGED)
def test_a_damaged_file_is_refused_with_what_is_wrong(content, words, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(ValueError, match=words):
        dl.load(tmp_path / "a")


def test_every_truncation_of_a_file_is_refused(tmp_path):
    dl.save({"a": dl.ones(3), "b": dl.zeros(2, 2)}, tmp_path / "a")
    whole = (tmp_path / "a").read_bytes()
    for n in range(len(whole)):
        (tmp_path / "b").write_bytes(whole[:n])
        with pytest.raises(ValueError):
            dl.load(tmp_path / "b")


@pytest.mark.skipif(not hasattr(os, "link"), reason="needs hard links")
def test_a_file_is_replaced_never_written_over(tmp_path):
    files.write_whole(tmp_path / "a", [b"old"])
    os.link(tmp_path / "a", tmp_path / "kept")
    files.write_whole(tmp_path / "a", [b"new"])
    assert (tmp_path / "kept").read_bytes() == b"old"


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    files.write_whole(path, [b"old"])
    with pytest.raises(TypeError):
        files.write_whole(path, [b"new", "no bytes"])
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "saved, words",
    [
        ({}, "weight is missing; bias is missing"),
        ({"weight": (3, 2), "bias": (2,)}, r"weight is \(3, 2\), the model's"),
        ({"weight": (2, 3), "bias": (2,), "c": (1,)}, "c is not in the model"),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(saved, words):
    model = nn.Linear(3, 2)
    before = [p.tolist() for p in model.parameters()]
    with pytest.raises(ValueError, match=words):
        model.load_state_dict({k: np.ones(shape) for k, shape in saved.items()})
    assert [p.tolist() for p in model.parameters()] == before


def test_part_of_a_state_is_loaded_when_asked():
    model = nn.Linear(3, 2)
    model.load_state_dict({"bias": np.ones(2), "other": np.ones(2)}, strict=False)
    assert model.bias.tolist() == [1, 1]


def test_what_the_format_can_not_hold_is_named(tmp_path):
    with pytest.raises(TypeError, match="w is no tensor but ndarray"):
        dl.save({"w": np.ones(2)}, tmp_path / "a")


@pytest.mark.parametrize(
    "tensors, metadata, error, words",
    [
        ({"__metadata__": 1}, None, ValueError, "a reserved name"),
        ({1: 1}, None, TypeError, "names and metadata are strings, found 1"),
        ({"w": 1}, {"epoch": 3}, TypeError, "names and metadata are strings, found 3"),
        ({"\ud800": 1}, None, ValueError, "surrogates not allowed"),
    ],
)
def test_names_that_nobody_could_read_are_refused(
    tensors, metadata, error, words, tmp_path
):
    with pytest.raises(error, match=words):
        save({k: dl.ones(1) for k in tensors}, tmp_path / "a", metadata)
    assert not list(tmp_path.iterdir())
