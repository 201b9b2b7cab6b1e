import pytest

from lenetctl import specs
from lenetctl.errors import SpecError


@pytest.fixture
def complaints(tmp_path, monkeypatch):
    """Load a text with overrides, and return the lines that are said about it."""
    monkeypatch.chdir(tmp_path)

    def load(text, *overrides):
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "x.yaml").write_bytes(content)
        try:
            specs.load_spec("x.yaml", overrides)
        except SpecError as error:
            return str(error).splitlines()
        return []

    return load
