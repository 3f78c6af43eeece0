"""A PostgreSQL server of the tests' own, in a temporary folder, reached by a socket only."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Debian's place; elsewhere the programs are on PATH.
_DEBIAN = Path("/usr/lib/postgresql")
_UNPRIVILEGED = 65534


def programs() -> Path | None:
    """The folder of the newest server's programs; None where none is installed."""
    numbered = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    if numbered:
        return numbered[-1].parent
    found = shutil.which("initdb")
    return Path(found).parent if found else None


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """Its URL. PostgreSQL refuses to run as root: it then runs as nobody."""
    folder = Path(tempfile.mkdtemp(prefix="triage-pg-"))  # the path of a socket must be short
    user = _UNPRIVILEGED if os.geteuid() == 0 else None
    if user is not None:
        os.chown(folder, user, user)

    def call(*argv: str) -> None:
        done = subprocess.run(
            argv, user=user, group=user, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{argv[0]}: {done.stdout}{done.stderr}"

    data = str(folder / "data")
    options = f"-c fsync=off -c listen_addresses='' -c unix_socket_directories='{folder}'"
    try:
        init = ("-D", data, "-U", "triage", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        call(str(bin_folder / "initdb"), *init)
        call(str(bin_folder / "pg_ctl"), "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql://triage@/postgres?host={folder}"
        finally:
            call(str(bin_folder / "pg_ctl"), "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
