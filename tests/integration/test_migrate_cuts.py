"""A run that is ended at its messages in turn, by the network, by the end of the runner and by that of
the server: `status` is true, and the next run comes to the same end. What test_migrate_faults.py does
by chance and often is done here once at every second place, and by ./run soak at every one."""

import os
import random
import signal

import pytest
from support import faults
from support.migrations import Project
from support.servers import Database
from support.waiting import wait_until
from support.wire import ACTING, HOW, Wire

SOAK = int(os.environ.get("VAXDB_FAULTS", "100")) >= 1000

# Small: every message costs a run. Each kind of file is there, and each way to send one.
KINDS = {
    2: faults.together,
    3: faults.concurrently,
    4: faults.dropping,
    5: faults.in_transaction,
    6: faults.annotated,
}


class Swept:
    """A project whose runs in one direction all begin with the same database."""

    def __init__(self, vaxdb, server, direction):
        self.server = server
        self.project = Project(vaxdb, Database(server, "template"))
        self.command = [direction, "--no-lint"] if direction == "up" else [direction, "5"]
        self.wire = Wire(server, ACTING)
        faults.fill(self.project, KINDS)
        self.project.database.create()
        self.project.ok("up", "--to", "001_step.sql", "--no-lint")
        if direction == "down":
            self.project.ok("up", "--no-lint")
        self.begin("model")
        self.messages = 0
        assert self.finish(self.start()).status == 0
        self.messages = self.wire.messages
        self.wanted = self.picture()

    def begin(self, name):
        self.server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        wait_until(self._is_free)
        # Not by way of the log: a sequence copied like that goes back when the server is killed, because
        # its page says that the next values are logged, which they are for the template only.
        self.server.execute(f'CREATE DATABASE "{name}" TEMPLATE template STRATEGY file_copy')
        self.project.database = Database(self.server, name)

    def _is_free(self):
        """No session is left on the template."""
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'template'"
        return self.server.execute(others)[0][0] == 0

    def start(self):
        command, *arguments = self.command
        url = self.wire.url(self.project.database)
        return self.project.vaxdb.start("migrate", command, *arguments, "--url", url)

    def finish(self, process):
        return self.project.vaxdb.finish(process)

    def picture(self):
        return faults.picture(self.project), self.project.states()

    def cut(self, message, how, struck=None):
        """Runs into the cut, looks, and goes on to the end."""
        self.begin("swept")
        struck_process = []
        self.wire.cut_at(message, how, struck and (lambda: struck(struck_process[0])))
        process = self.start()
        struck_process.append(process)
        outcome = self.finish(process)
        assert self.wire.was_cut.wait(30), outcome
        if not self.server.is_running():
            self.server.start()
        wait_until(lambda: not self.sessions())
        states, half_down = faults.check_status(self.project, KINDS)
        if outcome.status == 0:
            assert self.picture() == self.wanted, outcome
        if self.command[0] == "up" or half_down or "applied" in states or "partial" in states:
            self.go_on(states, half_down)
        assert self.picture() == self.wanted, (message, outcome)

    def go_on(self, states, half_down):
        if self.command[0] == "up":
            self.project.ok(*self.command)
            return
        assert not half_down or states.count("partial") == 1
        left = len([state for state in states if state != "pending"])
        self.project.ok("down", str(left))

    def sessions(self):
        return self.project.query(f"SELECT pid FROM pg_stat_activity WHERE {faults.SESSIONS}")


def cut_network(swept, message, how):
    swept.cut(message, how)


def kill_runner(swept, message, how):
    swept.cut(message, how, lambda process: process.send_signal(signal.SIGKILL))


def kill_server(swept, message, how):
    swept.cut(message, how, lambda _process: swept.server.kill())


# Where the runner or the server is dead, an answer on its way is as good as none.
WAYS = [(cut_network, how) for how in HOW] + [
    (kill_runner, "delivered"),
    (kill_server, "delivered"),
]


@pytest.fixture(params=["up", "down"])
def swept(request, vaxdb, own_server):
    # What the server has confirmed must be there after its end.
    server = own_server(settings={"synchronous_commit": "on"})
    swept = Swept(vaxdb, server, request.param)
    yield swept
    swept.wire.close()


@pytest.mark.slow
@pytest.mark.timeout(3600 if SOAK else 900)
def test_a_run_is_ended_at_each_of_its_messages(swept):
    """One way at every second message; in `./run soak` every way at each."""
    assert swept.messages > 2 * len(KINDS)
    first = random.choice([1, 2])
    print(f"{swept.messages} messages, from {first} on")
    messages = range(1, swept.messages + 1)
    for message in messages if SOAK else messages[first - 1 :: 2]:
        turn = message % len(WAYS)
        for end, how in WAYS if SOAK else WAYS[turn : turn + 1]:
            print(message, end.__name__, how)
            end(swept, message, how)
