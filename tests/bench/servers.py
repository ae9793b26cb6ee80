"""A server and the program in a temporary folder, for one benchmark."""

import shutil
import signal
import tempfile
from contextlib import contextmanager
from pathlib import Path

from support.program import Vaxdb
from support.servers import Server

# As a careful owner runs it: nothing of the tests' settings that trade safety for speed.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}


@contextmanager
def laboratory():
    """(server, program, folder); everything is gone after."""
    folder = Path(tempfile.mkdtemp(prefix="vaxdb-bench-", dir="/tmp"))
    folder.chmod(0o755)
    server = None
    try:
        server = Server(folder / "pg", settings=SETTINGS, wal_segment_mib=16).create().start()
        yield server, Vaxdb(folder / "vaxdb"), folder
    finally:
        if server:
            server.stop(signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)
