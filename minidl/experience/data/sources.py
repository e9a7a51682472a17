"""Where the data comes from that does not ship, and how it is fetched and checked.

A file is looked for in the folder named by MINIDL_DATA, then in the download cache,
which is laid out the same. Sums are of the decompressed content.
"""

import gzip
import hashlib
import os
import tomllib
import urllib.error
import urllib.request
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from ..progress import progress


@cache
def table():
    """The sources: a list of {path, url, sha256} for each name."""
    return tomllib.loads((files(__package__) / "sources.toml").read_text("utf-8"))


def cache_folder():
    """The download cache: MINIDL_CACHE, else minidl in the user's cache folder."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("MINIDL_CACHE") or home / "minidl")


def folders():
    given = os.environ.get("MINIDL_DATA")
    return ([Path(given)] if given else []) + [cache_folder()]


def found(name, download=False):
    """The paths of the files of `name`, fetched first with `download`.

    Raises FileNotFoundError that says how to get them.
    """
    paths = []
    for source in table()[name]["files"]:
        places = [folder / source["path"] for folder in folders()]
        here = next((place for place in places if place.exists()), None)
        if here is None and not download:
            raise FileNotFoundError(
                f"{source['path']} is not in {' or '.join(map(str, folders()))}. Give "
                f"download=True to fetch it from {source['url']}, or set MINIDL_DATA "
                "to a folder that has it"
            )
        paths.append(here or fetch(source, places[-1]))
    return paths


def fetch(source, path):
    """Downloads one file to `path` and checks it; a failure leaves nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        copy_with_progress(source["url"], partial)
        found = content_sum(partial)
        if found != source["sha256"]:
            raise ValueError(
                f"{source['url']} gave other content than expected (sha256 {found}, "
                f"expected {source['sha256']}); nothing was kept"
            )
        partial.replace(path)
    except urllib.error.URLError as error:
        raise ConnectionError(
            f"{source['url']} could not be fetched ({error.reason}); check the network "
            f"and try again, or put the file at {path}"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def copy_with_progress(url, path):
    """The content at `url`, gzipped if it was not, with a progress bar."""
    opener = open if url.endswith(".gz") else gzip.open
    with urllib.request.urlopen(url, timeout=30) as answer, opener(path, "wb") as file:
        size = int(answer.headers.get("Content-Length") or 0) or None
        with progress(total=size, desc=path.name, unit="B", unit_scale=True) as bar:
            while part := answer.read(1 << 16):
                file.write(part)
                bar.update(len(part))


def content_sum(path):
    """The sha256 of a gzipped file's content."""
    try:
        with gzip.open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (gzip.BadGzipFile, EOFError):
        return "of no gzip file at all"


def read_idx(path):
    """The array in a gzipped IDX file, the format MNIST is published in.

    Two zero bytes, the type (8: unsigned byte), the number of dimensions, each size as
    a big-endian 32-bit integer, then the elements.
    """
    with gzip.open(path, "rb") as file:
        header = file.read(4)
        if header[:3] != b"\x00\x00\x08":
            raise ValueError(f"{path} is not an IDX file of bytes")
        shape = np.frombuffer(file.read(4 * header[3]), ">u4")
        return np.frombuffer(file.read(), np.uint8).reshape(shape)
