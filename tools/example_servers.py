"""Throw-away database servers for recording: PostgreSQL and MariaDB in a temporary folder."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

_START_S = 30
_STOP_S = 15
_POSTGRESQL_DRIVERS = ("psycopg", "psycopg2", "asyncpg", "pg8000")
_MYSQL_DRIVERS = ("pymysql", "mysqldb", "mysqlconnector")
_UNPRIVILEGED = ("postgres", "nobody")  # both servers refuse to run as root


def _account() -> str | None:
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in _UNPRIVILEGED if name in known)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    said = log.read_text("utf-8", "replace")[-2000:]
    raise RuntimeError(f"{process.args!r} does not answer on port {port}:\n{said}")


@contextmanager
def _serving(command: list[str], port: int, folder: Path) -> Iterator[None]:
    path = folder / "server.log"
    with path.open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, user=_account())
    try:
        _wait(port, process, path)
        yield
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _folder(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    account = _account()
    if account:
        shutil.chown(folder, account)
    return folder


def _postgres_programs() -> tuple[str, str] | None:
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    path = os.pathsep.join([*map(str, places), os.environ.get("PATH", "")])
    initdb, postgres = shutil.which("initdb", path=path), shutil.which("postgres", path=path)
    return (initdb, postgres) if initdb and postgres else None


@contextmanager
def postgresql(parent: Path) -> Iterator[str | None]:
    """`//user@host:port/database` of a new server; None where PostgreSQL is not installed."""
    programs = _postgres_programs()
    if programs is None:
        yield None
        return
    folder, port = _folder(parent, "postgresql"), _free_port()
    data = folder / "data"
    subprocess.run(
        [programs[0], "-D", str(data), "-U", "shop", "--auth=trust", "--no-sync", "--locale=C", "-E", "UTF8"],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd=folder,
        user=_account(),
    )
    settings = ("fsync=off", "listen_addresses=127.0.0.1", "deadlock_timeout=200ms", f"port={port}")
    command = [programs[1], "-D", str(data), "-k", str(folder)]
    with _serving([*command, *(word for one in settings for word in ("-c", one))], port, folder):
        yield f"//shop@127.0.0.1:{port}/postgres"


@contextmanager
def mariadb(parent: Path) -> Iterator[str | None]:
    """Likewise for MariaDB; `TRIAGE_MARIADBD` may name a server that is not on PATH."""
    program = os.environ.get("TRIAGE_MARIADBD") or shutil.which("mariadbd")
    if program is None:
        yield None
        return
    folder, port = _folder(parent, "mariadb"), _free_port()
    messages = Path(program).resolve().parents[1] / "share" / "mysql"
    command = [
        *(program, "--no-defaults", f"--datadir={folder}", f"--socket={folder / 'socket'}", f"--port={port}"),
        *(
            "--skip-grant-tables",
            "--bind-address=127.0.0.1",
            f"--tmpdir={folder}",
            f"--lc-messages-dir={messages}",
        ),
        "--init-file=" + _init_file(parent),
    ]
    with _serving(command, port, folder):
        yield f"//shop@127.0.0.1:{port}/shop"


def _init_file(parent: Path) -> str:
    path = parent / "init.sql"
    path.write_text("CREATE DATABASE shop;\n", "utf-8")
    return str(path)


@contextmanager
def servers(parent: Path) -> Iterator[Mapping[str, str]]:
    """The database URL for each driver that can be used; SQLite's is always there."""
    parent.chmod(0o755)  # the servers run under another account
    with ExitStack() as stack:
        urls = {"sqlite": "sqlite://"}
        address = stack.enter_context(postgresql(parent))
        if address:
            urls |= {name: f"postgresql+{name}:{address}" for name in _POSTGRESQL_DRIVERS}
        address = stack.enter_context(mariadb(parent))
        if address:
            urls |= {name: f"mysql+{name}:{address}" for name in _MYSQL_DRIVERS}
        yield urls
