"""A real PostgreSQL for a test, gone after it: a folder, and a port of 127.0.0.1."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian's, the newest last
PREFIX = "lenetctl-postgres-"  # of a server's folder
USER = "postgres"  # the server refuses to be root


def missing() -> str:
    """Return why there can be no server here; nothing where there can."""
    if not PROGRAMS:
        return "no PostgreSQL here: apt install postgresql"
    if os.getuid() == 0 and USER not in {entry.pw_name for entry in pwd.getpwall()}:
        return f"PostgreSQL refuses to be root, and there is no user {USER}"
    return ""


@contextmanager
def started(*databases: str) -> Iterator[list[str]]:
    """Yield the URIs of empty databases on a server of their own."""
    # not pytest's folder, into which no other user may look
    with TemporaryDirectory(prefix=PREFIX) as folder:
        if os.getuid() == 0:
            shutil.chown(folder, USER)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        data = f"{folder}/data"
        at = f"-c port={port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        _run("initdb", "-D", data, "-U", USER, "--auth=trust", "--no-sync")
        _run("pg_ctl", "-D", data, "-w", "-o", at, "-l", f"{folder}/log.txt", "start")
        try:
            for name in databases:
                _run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", USER, name)
            yield [f"postgresql+psycopg://{USER}@127.0.0.1:{port}/{name}" for name in databases]
        finally:
            _run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def _run(program: str, *arguments: str) -> None:
    command = [str(PROGRAMS[-1] / program), *arguments]
    if os.getuid() == 0:
        command = ["runuser", "-u", USER, "--", *command]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)
