"""vaxdb itself, run with a state directory, home and working directory of its own."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .servers import as_user, clean_environment

ROOT = Path(__file__).parents[3]
SANITIZER_STATUS = 99  # exit status of a sanitized program that did something wrong

# What no run may end in; a test that sends such a signal itself reaps the process itself.
CRASHES = {SANITIZER_STATUS} | {
    -number
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
}


def binary():
    """$VAXDB_BIN, else what was built last in the clone."""
    chosen = os.environ.get("VAXDB_BIN")
    if chosen:
        return Path(chosen).resolve()
    built = [path for path in (ROOT / "build/vaxdb", ROOT / "build-asan/vaxdb") if path.exists()]
    if not built:
        raise RuntimeError("there is no build/vaxdb: ./run build makes it")
    return max(built, key=lambda path: path.stat().st_mtime)


class Outcome:
    """How a run ended."""

    def __init__(self, arguments, status, stdout, stderr):
        self.arguments = arguments
        self.status = status
        self.stdout = stdout
        self.stderr = stderr

    @property
    def json(self):
        """The one object that --json prints."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict), self
        assert value["schema"] == 1, self
        return value

    def __repr__(self):
        return (
            f"vaxdb {' '.join(self.arguments)}: status {self.status}\n"
            f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}\n---"
        )


class Vaxdb:
    """Call it with arguments: `vaxdb("migrate", "up", "--json").json["applied"]`.

    folder holds everything: folder/work is the working directory, folder/state the state directory,
    folder/home the home. environment may be changed by a test. The developer's own environment
    (PG*, DB_*, VAXDB_*) does not get in. With user (a name; only when the tests run as root) the
    program runs as that user, from a copy that the user can read.
    """

    def __init__(self, folder, user=None):
        self.folder = Path(folder)
        self.work = self.folder / "work"
        self.state = self.folder / "state"
        self.home = self.folder / "home"
        self.user = pwd.getpwnam(user) if user else None
        self.binary = binary()
        for directory in (self.folder, self.work, self.home):
            directory.mkdir(mode=0o755)
        if self.user:
            self.binary = Path(shutil.copy(self.binary, self.folder / "vaxdb"))
            for directory in (self.folder, self.work, self.home):
                shutil.chown(directory, self.user.pw_uid, self.user.pw_gid)
        self.environment = {
            **clean_environment(),
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_STATE_HOME": str(self.home / ".local/state"),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "VAXDB_STATE_DIR": str(self.state),
            "NO_COLOR": "1",
        }

    def _popen(self, arguments, env, cwd, **more):
        environment = {**self.environment, **(env or {})}
        return subprocess.Popen(
            [str(self.binary), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            cwd=cwd or self.work,
            env={key: value for key, value in environment.items() if value is not None},
            **as_user(self.user),
            **more,
        )

    def __call__(self, *arguments, env=None, cwd=None, stdin=None, timeout_s=120):
        """Runs it to the end. env adds variables (None removes one); stdin is text."""
        with self._popen(
            arguments, env, cwd, stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE
        ) as process:
            return self._outcome(process, arguments, stdin, timeout_s)

    def _outcome(self, process, arguments, stdin=None, timeout_s=120):
        try:
            stdout, stderr = process.communicate(stdin, timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(
                f"vaxdb {arguments} did not end in {timeout_s} s\n{stdout}\n{stderr}"
            ) from None
        outcome = Outcome(list(map(str, arguments)), process.returncode, stdout, stderr)
        assert process.returncode not in CRASHES, outcome
        return outcome

    def ok(self, *arguments, **more):
        """As a call, and it must exit 0."""
        outcome = self(*arguments, **more)
        assert outcome.status == 0, outcome
        return outcome

    def fails(self, status, *arguments, **more):
        """As a call, and it must exit with status and say why on stderr."""
        outcome = self(*arguments, **more)
        assert outcome.status == status, outcome
        assert outcome.stderr.strip(), outcome
        return outcome

    def start(self, *arguments, env=None, cwd=None, **more):
        """Starts it in a process group of its own and returns the Popen, to be signalled; the end
        is read with `vaxdb.finish(process)`."""
        more.setdefault("stdin", subprocess.DEVNULL)
        return self._popen(arguments, env, cwd, start_new_session=True, **more)

    def finish(self, process, timeout_s=120):
        return self._outcome(process, process.args[1:], None, timeout_s)

    def write_config(self, text="", **urls):
        """Writes work/vaxdb.ini: text, then a section for each environment with its URL."""
        sections = [f"[{env}]\nurl = {url}\n" for env, url in urls.items()]
        path = self.work / "vaxdb.ini"
        path.write_text("\n".join([text, *sections]))
        path.chmod(0o600)
        if self.user:
            shutil.chown(path, self.user.pw_uid, self.user.pw_gid)
        return path

    def close(self):
        """Stops every server that was started under the state directory or home."""
        stop_servers(self.folder)


def stop_servers(folder):
    """Ends every server whose data directory is somewhere in folder."""
    for pid_file in folder.rglob("postmaster.pid"):
        try:
            stop_server(int(pid_file.read_text().split()[0]), pid_file.parent)
        except (OSError, ValueError, IndexError):
            continue


def stop_server(pid, data):
    """Ends the server of a data directory; not a stranger that has got its process id since."""

    def is_alive():
        try:
            return os.readlink(f"/proc/{pid}/cwd") == str(data.resolve())
        except OSError:
            return False

    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not is_alive():
            return
        os.kill(pid, how)
        until = time.monotonic() + 10
        while is_alive() and time.monotonic() < until:
            time.sleep(0.02)
