import shutil
import sqlite3

import pytest

from lenetctl.errors import UsageError
from lenetctl.tracking.check import check_store


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("htp://host", "MLflow knows no htp: use sqlite:///mlflow.db or http://HOST:PORT"),
        ("sqlite://mlflow.db", "three slashes: sqlite:///mlflow.db"),
        ("C:\\mlruns", "MLflow no longer keeps runs in folders: use sqlite:///mlflow.db"),
        ("file:./mlruns", "no longer keeps runs in folders"),
        ("./mlruns", "no longer keeps runs in folders"),
        ("mssql://ann:secret@host/db", "No module named 'pyodbc': pip install pyodbc"),
        ("sqlite:///no/folder/mlflow.db", "no/folder is no folder, or cannot be written"),
        ("mysql+nothing://host/db", "mysql.nothing"),
    ],
)
def test_a_uri_of_no_store_is_told_with_the_way_out(uri, words):
    with pytest.raises(UsageError) as told:
        check_store(uri)
    assert words in str(told.value)
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1:1", "databricks", "databricks://profile", "sqlite:///mlflow.db"]
)
def test_a_store_that_may_be_there_later_is_not_refused(uri):
    check_store(uri)


@pytest.fixture
def database(empty_database, tmp_path):
    return shutil.copy(empty_database, tmp_path / "mlflow.db")


def test_a_store_of_mlflows_own_passes_also_while_it_is_locked(database):
    check_store(f"sqlite:///{database}")
    with sqlite3.connect(database) as other:
        other.execute("BEGIN EXCLUSIVE")
        check_store(f"sqlite:///{database}?timeout=60")
        other.rollback()


@pytest.mark.parametrize(
    ("revision", "words"),
    [
        ("f5a4f2784254", "an older MLflow made it: copy the file, then run `mlflow db upgrade"),
        ("0123456789ab", "a newer MLflow made it: pip install --upgrade mlflow"),
    ],
)
def test_a_schema_of_another_version_is_told_with_the_way_out(database, revision, words):
    with sqlite3.connect(database) as made:
        made.execute("UPDATE alembic_version SET version_num = ?", [revision])
    with pytest.raises(UsageError, match=words):
        check_store(f"sqlite:///{database}")


def test_a_store_that_takes_no_writing_is_refused(database):
    with open(database, "r+b") as file:  # noqa: PTH123
        file.seek(18)
        file.write(b"\x03")  # the version for writing: SQLite only reads those of its future
    with pytest.raises(UsageError, match="attempt to write a readonly database: mend that"):
        check_store(f"sqlite:///{database}")


def test_a_damaged_store_is_refused(tmp_path):
    (tmp_path / "mlflow.db").write_text("not a database at all, but of some length" * 50)
    with pytest.raises(UsageError, match=r"file is not a database: move it away"):
        check_store("sqlite:///mlflow.db")


def test_a_file_that_is_still_empty_passes(tmp_path):
    (tmp_path / "mlflow.db").touch()
    check_store("sqlite:///mlflow.db")
