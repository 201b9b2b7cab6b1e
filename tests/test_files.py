import os
from pathlib import Path

import pytest

from lenetctl.files import write_whole


def test_the_file_holds_what_was_written_and_nothing_else_is_left(tmp_path):
    write_whole(tmp_path / "a.json", "zwölf")
    write_whole(tmp_path / "a.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_bytes() == b"new"


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    write_whole(tmp_path / "a.json", "old")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space.*a\.json"):
        write_whole(tmp_path / "a.json", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "old"


def test_a_disk_that_is_read_only_is_told_of_the_file_itself(tmp_path, monkeypatch):
    def refused(self, *_arguments, **_options):
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "open", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(OSError, match=r"Read-only file system: '[^']*/a\.json'"):
        write_whole(tmp_path / "a.json", "new")


def test_others_may_read_what_the_umask_lets_them_read(tmp_path):
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "a.json", "open")
    finally:
        os.umask(before)
    assert (tmp_path / "a.json").stat().st_mode & 0o777 == 0o644
