import errno
import gzip
import hashlib
import socket
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from torchvision import datasets

from lenetctl.data import data_dir
from lenetctl.data.catalog import CATALOG
from lenetctl.data.fetch import fetch_dataset
from lenetctl.errors import DataError, ResourceError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """Serve tmp_path/mirror on this machine; proxies are for other ones."""
    monkeypatch.setenv("no_proxy", "*")
    (tmp_path / "mirror").mkdir()
    handler = partial(Quiet, directory=tmp_path / "mirror")
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def publish(tmp_path, write_known, monkeypatch):
    """Put archives of a small data set on the mirror, and their MD5 into torchvision."""

    def publish(name):
        known = CATALOG[name]
        folder = write_known(name) / known.folder
        resources = []
        for file in known.files:
            archive = gzip.compress((folder / file.name).read_bytes())
            (tmp_path / "mirror" / f"{file.name}.gz").write_bytes(archive)
            md5 = hashlib.md5(archive, usedforsecurity=False).hexdigest()
            resources.append((f"{file.name}.gz", md5))
            (folder / file.name).unlink()
        if name == "qmnist":
            whole = [(f"https://example.invalid/{file}", md5) for file, md5 in resources]
            resources = {"train": whole[:2], "test": whole[2:]}
        monkeypatch.setattr(getattr(datasets, known.torchvision), "resources", resources)
        return tmp_path / "mirror"

    return publish


def left_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["kmnist", "qmnist"])
def test_fetches_whole_files_and_nothing_else(publish, mirror, tmp_path, name, capsys):
    publish(name)
    fetch_dataset(name, tmp_path / "data", mirror)
    assert left_in(tmp_path / "data") == sorted(file.name for file in CATALOG[name].files)
    assert data_dir.read_published(name, tmp_path / "data").train.images.shape == (40, 28, 28)
    assert capsys.readouterr().out == ""
    assert socket.getdefaulttimeout() is None


def test_a_whole_data_set_is_not_fetched_again(write_known):
    fetch_dataset("kmnist", write_known(), "http://127.0.0.1:9")


def test_a_damaged_file_is_replaced(publish, mirror, tmp_path):
    publish("kmnist")
    folder = tmp_path / "data/KMNIST/raw"
    folder.mkdir(parents=True)
    (folder / "train-images-idx3-ubyte").write_bytes(b"nonsense")
    fetch_dataset("kmnist", tmp_path / "data", mirror)
    assert not any(file.problem for file in data_dir.file_states("kmnist", tmp_path / "data"))


@pytest.mark.parametrize("name", ["kmnist", "qmnist"])
@pytest.mark.parametrize(
    "damage", [lambda c: c[: len(c) // 2], lambda c: c[:200] + b"?" + c[201:], lambda c: b""]
)
def test_a_damaged_archive_leaves_nothing_behind(publish, mirror, tmp_path, name, damage):
    archive = publish(name) / f"{CATALOG[name].files[2].name}.gz"
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DataError, match="corrupted") as caught:
        fetch_dataset(name, tmp_path / "data", mirror)
    assert "\n" not in str(caught.value)
    assert left_in(tmp_path / "data") == []


def test_an_archive_that_does_not_unpack_is_refused(publish, mirror, tmp_path, monkeypatch):
    archive = publish("kmnist") / "t10k-images-idx3-ubyte.gz"
    archive.write_bytes(archive.read_bytes()[:-100])
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    resources = [(f, md5 if f == archive.name else old) for f, old in datasets.KMNIST.resources]
    monkeypatch.setattr(datasets.KMNIST, "resources", resources)
    with pytest.raises(DataError, match="end-of-stream"):
        fetch_dataset("kmnist", tmp_path / "data", mirror)
    assert left_in(tmp_path / "data") == []


def test_other_contents_than_the_known_ones_are_refused(publish, mirror, tmp_path):
    publish("fashion_mnist")  # its small files have the MD5 that torchvision asks for
    with pytest.raises(DataError, match="expected SHA-256 c59f468a"):
        fetch_dataset("fashion_mnist", tmp_path / "data", mirror)
    assert left_in(tmp_path / "data") == []


@pytest.mark.parametrize("name", ["mnist", "qmnist"])
def test_no_network_is_told_at_once_with_every_way_out(tmp_path, monkeypatch, name):
    monkeypatch.setenv("no_proxy", "*")
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    start = time.monotonic()
    with pytest.raises(DataError) as caught:
        fetch_dataset(name, tmp_path, f"http://127.0.0.1:{closed}/")
    assert time.monotonic() - start < 5
    folder = tmp_path / CATALOG[name].folder
    for part in (str(folder), "refused", f"data fetch {name}", "LENETCTL_DATA", "quickstart.yaml"):
        assert part in str(caught.value)


@pytest.mark.parametrize("mirror", ["nonsense", "ftp:/x", "http://[::1"])
def test_an_address_that_is_none_is_refused(tmp_path, mirror):
    with pytest.raises(DataError, match="fetching it failed"):
        fetch_dataset("kmnist", tmp_path, mirror)


def test_a_folder_that_cannot_be_written_is_told_before_the_download(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot be written.*--data-dir"):
        fetch_dataset("kmnist", tmp_path / "file" / "data", "http://127.0.0.1:9")


def test_a_full_disk_is_not_taken_for_a_missing_network(publish, mirror, tmp_path, monkeypatch):
    publish("kmnist")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(urllib.request, "urlopen", full)
    with pytest.raises(ResourceError, match="no space left"):
        fetch_dataset("kmnist", tmp_path / "data", mirror)


def test_what_the_data_commands_need_brings_in_no_torch():
    code = "import sys, lenetctl.data.fetch; print({'torch', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_folder_in_a_files_place_is_told_before_anything_is_fetched(write_known, monkeypatch):
    monkeypatch.setattr("lenetctl.data.fetch._download", lambda *_: pytest.fail("a download"))
    folder = write_known("kmnist")
    blocked = folder / "KMNIST/raw/t10k-labels-idx1-ubyte"
    blocked.unlink()
    blocked.mkdir()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte: is a folder where a file"):
        fetch_dataset("kmnist", folder)


def test_a_split_of_emnist_is_fetched_from_the_archive_of_all(
    write_known, mirror, tmp_path, monkeypatch
):
    raw = write_known("emnist_mnist") / "EMNIST/raw"
    with zipfile.ZipFile(tmp_path / "mirror/gzip.zip", "w") as archive:
        for file in sorted(raw.iterdir()):
            archive.writestr(f"gzip/{file.name}.gz", gzip.compress(file.read_bytes()))
    whole = (tmp_path / "mirror/gzip.zip").read_bytes()
    md5 = hashlib.md5(whole, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(datasets.EMNIST, "md5", md5)
    fetch_dataset("emnist_mnist", tmp_path / "data", mirror)
    assert left_in(tmp_path / "data") == left_in(raw)
