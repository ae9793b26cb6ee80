"""A real SFTP server: Debian's sshd, on loopback, with keys and a configuration of its own.

Run by root it belongs to the user vaxdb, and whoever logs in is that user."""

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .servers import as_user, clean_environment, end_with_parent, free_port
from .waiting import wait_until

USER = "vaxdb"
PROGRAM = "/usr/sbin/sshd"


def _with_descendants(pid):
    """A session is a process of its own, and so is what reads the network for it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(found for child in children for found in _with_descendants(int(child)))]


class Sftp:
    """`url` is of an empty folder `store`, `key` logs in, in the folder above it, and `known_hosts`
    knows the server."""

    def __init__(self, folder):
        self._user = pwd.getpwnam(USER) if os.geteuid() == 0 else None
        self.name = self._user.pw_name if self._user else getpass.getuser()
        self.folder = Path(tempfile.mkdtemp(prefix="sftp-", dir=folder))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.store = self.folder / "store"
        self.key = self.folder / "key"
        self.known_hosts = self.folder / "known_hosts"
        self.url = f"sftp://{self.name}@127.0.0.1:{self.port}{self.store}"
        self._process = None
        self.store.mkdir(mode=0o700)
        for name in ("key", "host"):
            self._make_key(name)
        shutil.copy(self.folder / "key.pub", self.folder / "authorized")
        public = (self.folder / "host.pub").read_text()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.port} {public}")
        (self.folder / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.folder}/host\n"
            f"AuthorizedKeysFile {self.folder}/authorized\nPidFile none\nUsePAM no\n"
            "StrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"Subsystem sftp internal-sftp\nForceCommand internal-sftp -d {self.folder}\n"
        )
        if self._user:
            for name in ("store", "host"):
                shutil.chown(self.folder / name, self._user.pw_uid, self._user.pw_gid)

    def start(self):
        if not Path(PROGRAM).exists():
            raise RuntimeError(f"{PROGRAM} is missing: ./run test installs it")
        with open(self.folder / "log", "ab") as log:
            self._process = subprocess.Popen(
                [PROGRAM, "-D", "-e", "-f", str(self.folder / "config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=clean_environment(),
                start_new_session=True,
                preexec_fn=end_with_parent,
                **as_user(self._user),
            )
        wait_until(self._answers, timeout_s=30)
        return self

    def kill(self):
        """With the sessions that are open."""
        if not self._process:
            return
        for pid in _with_descendants(self._process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._process.wait(30)
        self._process = None

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def files(self):
        return {path.name: path.read_bytes() for path in self.store.iterdir() if path.is_file()}

    def _make_key(self, name):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.folder / name)],
            check=True,
            env=clean_environment(),
        )

    def _answers(self):
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as connection:
                return connection.recv(4) == b"SSH-"
        except OSError:
            return False
