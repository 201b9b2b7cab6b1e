import subprocess

import pytest

from lenetctl.errors import UsageError
from lenetctl.training.cpu import compiler


@pytest.fixture
def fresh_load(monkeypatch, tmp_path):
    """Load with an empty cache."""
    monkeypatch.setattr(compiler.platformdirs, "user_cache_path", lambda _: tmp_path)
    return compiler.compiled_library.__wrapped__


def test_it_is_compiled_once_and_whole(fresh_load, tmp_path):
    assert fresh_load().lanes() in (8, 16, 32)
    (built,) = (tmp_path / "native").iterdir()
    written = built.stat().st_mtime_ns
    fresh_load()
    assert [(path, path.stat().st_mtime_ns) for path in (tmp_path / "native").iterdir()] == [
        (built, written)
    ]


def test_without_a_compiler_one_line_says_so(fresh_load, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    with pytest.raises(UsageError, match=r"no C\+\+ compiler: install .*, or name one in CXX"):
        fresh_load()


def test_a_compiler_that_fails_is_quoted_in_one_line(fresh_load, monkeypatch, tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'error: no such option' >&2\necho more >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    with pytest.raises(UsageError, match=r"cannot compile .*: error: no such option$") as error:
        fresh_load()
    assert "\n" not in str(error.value)
    assert not (tmp_path / "native").exists() or not any((tmp_path / "native").iterdir())


def test_no_space_for_what_the_compiler_writes_names_tmpdir(fresh_load, monkeypatch, tmp_path):
    full = tmp_path / "full"
    full.write_text(
        "#!/bin/sh\necho 'a.cpp:1: error writing: No space left on device' >&2\nexit 1\n"
    )
    full.chmod(0o755)
    monkeypatch.setenv("CXX", str(full))
    monkeypatch.setenv("TMPDIR", "/small")
    with pytest.raises(UsageError, match=r"no space left in TMPDIR \(/small\) or the cache folder"):
        fresh_load()


def test_a_cache_folder_that_allows_no_programs_is_a_reason_in_words(
    fresh_load, monkeypatch, tmp_path
):
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,noexec", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        with pytest.raises(UsageError, match=r"the cache folder cannot be used: .*failed to map"):
            fresh_load()
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("home", ["/dev/null", "/proc"])
def test_a_cache_folder_that_cannot_be_used_is_a_reason_in_words(home, monkeypatch):
    monkeypatch.setenv("HOME", home)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    compiler.compiled_library.cache_clear()
    with pytest.raises(UsageError, match="the cache folder cannot be used"):
        compiler.compiled_library()
    compiler.compiled_library.cache_clear()
