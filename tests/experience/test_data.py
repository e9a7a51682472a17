"""Sets, sources and batches."""

import functools
import gzip
import hashlib
import http.server
import threading

import numpy as np
import pytest

import minidl as dl
from minidl.experience.data import sources


@pytest.mark.parametrize("name, train_size", [("mnist", 4000), ("fashion", 5000)])
def test_shipped_images_are_balanced_and_scaled(name, train_size, capsys):
    train, test = dl.data.load(name)
    assert f"shipped selection, {train_size:,} training and 1,000 test" in (
        capsys.readouterr().out
    )
    for part, n in ((train, train_size), (test, 1000)):
        x, y = part.tensors
        assert x.shape == (n, 1, 28, 28) and x.dtype == np.float32
        assert x.min().item() == 0 and x.max().item() == 1
        assert np.bincount(y.numpy()).tolist() == [n // 10] * 10


def test_the_shipped_text_is_whole(capsys):
    train, test = dl.data.load("text")
    assert len(train) + len(test) == 1_029_735
    assert len(set(train + test)) == 74
    assert abs(len(test) / 1_029_735 - 0.1) < 1e-5


def test_add_one_bigrams_score_what_was_published_for_the_text():
    train, test = dl.data.load("text")
    letters = sorted(set(train + test))
    code = {c: i for i, c in enumerate(letters)}
    a, b = (np.array([code[c] for c in part]) for part in (train, test))
    counts = np.ones((len(letters), len(letters)))
    np.add.at(counts, (a[:-1], a[1:]), 1)
    p = counts / counts.sum(1, keepdims=True)
    assert abs(-np.log(p[b[:-1], b[1:]]).mean() - 2.280) < 0.01


def test_an_unknown_or_absent_set_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIDL_DATA", str(tmp_path / "none"))
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    with pytest.raises(
        ValueError, match="there are: mnist, fashion, text, shakespeare"
    ):
        dl.data.load("cifar")
    with pytest.raises(FileNotFoundError, match="download=True .* or set MINIDL_DATA"):
        dl.data.load("mnist", full=True)
    with pytest.raises(ValueError, match="always comes whole"):
        dl.data.load("text", full=True)


def test_shakespeare_is_found_through_minidl_data(capsys):
    try:
        train, test = dl.data.load("shakespeare")
    except FileNotFoundError as error:
        pytest.skip(str(error))
    whole = (train + test).encode()
    assert hashlib.sha256(whole).hexdigest().startswith("86c4e6aa9db7c042")


def idx(array):
    """`array` as an IDX file, written from the format's description."""
    header = bytes([0, 0, 8, array.ndim])
    return header + np.array(array.shape, ">u4").tobytes() + array.tobytes()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *words):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A full set on a server of this machine: (folder served, table of sources)."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    rng, files = np.random.default_rng(0), []
    parts = {"a": (6, 28, 28), "b": (6,), "c": (3, 28, 28), "d": (3,)}
    for name, shape in parts.items():
        content = idx(rng.integers(0, 10, shape).astype(np.uint8))
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        url = f"http://127.0.0.1:{httpd.server_port}/{name}.gz"
        files.append(
            {
                "path": f"full/mnist/{name}.gz",
                "url": url,
                "sha256": hashlib.sha256(content).hexdigest(),
            }
        )
    monkeypatch.setattr(sources, "table", lambda: {"mnist-full": {"files": files}})
    monkeypatch.delenv("MINIDL_DATA", raising=False)
    monkeypatch.setenv("MINIDL_CACHE", str(tmp_path / "cache"))
    yield folder, files
    httpd.shutdown()
    httpd.server_close()


def test_a_full_set_is_downloaded_once_and_then_found(server, capsys):
    train, test = dl.data.load("mnist", full=True, download=True)
    assert len(train) == 6 and len(test) == 3
    assert "full set, 6 training and 3 test" in capsys.readouterr().out
    for path in server[0].iterdir():
        path.unlink()
    assert len(dl.data.load("mnist", full=True)[0]) == 6


def test_wrong_content_is_refused_and_not_kept(server, tmp_path):
    (server[0] / "b.gz").write_bytes(gzip.compress(b"something else"))
    with pytest.raises(ValueError, match="other content than expected"):
        dl.data.load("mnist", full=True, download=True)
    kept = sorted(p.name for p in (tmp_path / "cache").rglob("*") if p.is_file())
    assert kept == ["a.gz"]


def test_a_missing_server_is_a_sentence(server):
    for file in server[1]:
        file["url"] = "http://127.0.0.1:9/none.gz"
    with pytest.raises(ConnectionError, match="check the network"):
        dl.data.load("mnist", full=True, download=True)


# ---- batches


def numbers(n=10):
    return dl.data.TensorDataset(dl.arange(n), dl.arange(n) * 10)


def test_batches_hold_every_sample_once():
    for options in ({}, {"shuffle": True}):
        batches = list(dl.data.DataLoader(numbers(), 4, **options))
        assert [len(x) for x, _ in batches] == [4, 4, 2]
        assert sorted(v for x, _ in batches for v in x.tolist()) == list(range(10))
        assert all((y == x * 10).all() for x, y in batches)


def test_drop_last_leaves_the_smaller_batch_out():
    loader = dl.data.DataLoader(numbers(), 4, drop_last=True)
    assert len(loader) == 2 == len(list(loader))


def test_a_seed_repeats_the_order_and_passes_differ():
    loader = dl.data.DataLoader(numbers(100), 100, shuffle=True)

    def two_passes():
        dl.manual_seed(3)
        return [x.tolist() for _ in range(2) for x, _ in loader]

    first = two_passes()
    assert first == two_passes() and first[0] != first[1]


@pytest.mark.parametrize(
    "wrong, words",
    [
        (lambda: dl.data.TensorDataset(dl.ones(2), dl.ones(3)), r"\[2, 3\]"),
        (lambda: dl.data.DataLoader(numbers(), 0), "at least 1"),
    ],
)
def test_a_users_mistake_is_named(wrong, words):
    with pytest.raises(ValueError, match=words):
        wrong()
