"""A real PgBouncer, from Debian, before a server of the tests: anybody comes in without a password."""

import signal
import socket
import subprocess
from pathlib import Path

from .servers import as_user, clean_environment, end_with_parent, free_port, server_user
from .waiting import wait_until

PROGRAM = Path("/usr/sbin/pgbouncer")


class PgBouncer:
    """`url(database)` leads through it. mode is "session" or "transaction"."""

    def __init__(self, folder, server, mode, **settings):
        if not PROGRAM.exists():
            raise RuntimeError(f"{PROGRAM} is missing: ./run test installs it")
        self.port = free_port()
        self._log = folder / "pgbouncer.log"
        config = folder / "pgbouncer.ini"
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": mode,
            **settings,
        }
        config.write_text(
            "[databases]\n"
            f"* = host={server.host} port={server.port} user={server.superuser} "
            f"password='{server.password}'\n"
            "[pgbouncer]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())
        )
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), str(config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=clean_environment(),
                start_new_session=True,
                preexec_fn=end_with_parent,
                **as_user(server_user()),  # it refuses root, as the server does
            )
        wait_until(self._answers)

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database.name}"

    def close(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(30)

    def _answers(self):
        assert self._process.poll() is None, self._log.read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port)).close()
        except OSError:
            return False
        return True
