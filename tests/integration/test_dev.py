"""The private cluster of `vaxdb dev`, and what it must survive."""

import os
import shutil
import signal
import socket
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from support.servers import bindir
from support.waiting import wait_until

as_root = os.geteuid() == 0


def status(vaxdb):
    return vaxdb.ok("dev", "status", "--json").json


def connect(vaxdb, env="development"):
    return psycopg.connect(vaxdb.ok("dev", "url", "-e", env).stdout.strip(), autocommit=True)


def postmaster_pid(vaxdb):
    return int((vaxdb.state / "cluster/data/postmaster.pid").read_text().split()[0])


def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_start_makes_four_databases_and_a_configuration(vaxdb):
    started = vaxdb.ok("dev", "start")
    assert "Wrote" in started.stderr
    for env in ("development", "staging", "production", "test"):
        with connect(vaxdb, env) as connection:
            assert connection.execute("SELECT current_database()").fetchone() == (f"vaxtrace_{env}",)
            extensions = {row[0] for row in connection.execute("SELECT extname FROM pg_extension")}
            assert {"pg_stat_statements", "hypopg"} <= extensions
    text = (vaxdb.work / "vaxdb.ini").read_text()
    assert text.count("url = private") == 4
    again = vaxdb.ok("dev", "start")
    assert "Wrote" not in again.stderr


def test_it_is_private(vaxdb):
    vaxdb.ok("dev", "start")
    cluster = vaxdb.state / "cluster"
    assert stat.S_IMODE(cluster.stat().st_mode) == 0o700
    assert stat.S_IMODE((cluster / "password").stat().st_mode) == 0o600
    assert stat.S_IMODE((vaxdb.work / "vaxdb.ini").stat().st_mode) == 0o600
    with connect(vaxdb) as connection:
        addresses = connection.execute("SHOW listen_addresses").fetchone()[0]
        assert addresses == "127.0.0.1"
        rules = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert rules == [("scram-sha-256",)]
    port = status(vaxdb)["port"]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"host=127.0.0.1 port={port} user=vaxdb password=wrong dbname=postgres")


def test_its_server_is_never_root(vaxdb):
    vaxdb.ok("dev", "start")
    owner = os.stat(f"/proc/{postmaster_pid(vaxdb)}").st_uid
    assert owner != 0
    assert (vaxdb.state / "cluster/data").stat().st_uid == owner


@pytest.mark.skipif(not as_root, reason="the tests run as an ordinary user already")
def test_an_ordinary_user_has_one_of_his_own(new_vaxdb):
    vaxdb = new_vaxdb(user="postgres")
    vaxdb.ok("dev", "start")
    with connect(vaxdb, "test") as connection:
        connection.execute("CREATE TABLE mine ()")
    vaxdb.ok("dev", "stop")


def test_stop_keeps_the_data(vaxdb):
    vaxdb.ok("dev", "start")
    with connect(vaxdb) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    assert status(vaxdb)["state"] == "running"
    vaxdb.ok("dev", "stop")
    assert status(vaxdb)["state"] == "stopped"
    vaxdb.fails(5, "dev", "url")
    vaxdb.ok("dev", "stop")
    vaxdb.ok("dev", "start")
    with connect(vaxdb) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_kill_9_of_the_server(vaxdb):
    vaxdb.ok("dev", "start")
    with connect(vaxdb) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = postmaster_pid(vaxdb)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid))
    assert status(vaxdb)["state"] == "stopped"
    vaxdb.ok("dev", "start")
    with connect(vaxdb) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_stale_pid_file_whose_number_is_anothers_now(vaxdb):
    vaxdb.ok("dev", "start")
    pid_file = vaxdb.state / "cluster/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    owner = pid_file.stat()
    vaxdb.ok("dev", "stop")
    # A process of the server's own user: PostgreSQL itself would take it for a running server.
    ids = {"user": owner.st_uid, "group": owner.st_gid} if as_root else {}
    with subprocess.Popen(["sleep", "60"], **ids) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        shutil.chown(pid_file, owner.st_uid, owner.st_gid)
        try:
            started = vaxdb.ok("dev", "start")
            assert "recovers" in started.stderr
            assert stranger.poll() is None
        finally:
            stranger.kill()
    assert status(vaxdb)["state"] == "running"


def test_a_port_that_another_program_took(vaxdb):
    vaxdb.ok("dev", "start")
    port = status(vaxdb)["port"]
    vaxdb.ok("dev", "stop")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        started = vaxdb.ok("dev", "start")
    assert f"port {port} is taken" in started.stderr
    assert status(vaxdb)["port"] != port
    with connect(vaxdb) as connection:
        connection.execute("SELECT 1")


def test_two_starts_at_once_make_one_cluster(vaxdb):
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda _: vaxdb("dev", "start", "--json"), range(4)))
    assert [run.status for run in runs] == [0] * 4, runs
    assert len({run.json["port"] for run in runs}) == 1
    assert (vaxdb.state / "cluster/data/PG_VERSION").exists()
    assert not (vaxdb.state / "cluster/data.new").exists()


def test_programs_of_another_major_change_nothing(vaxdb):
    vaxdb.ok("dev", "start")
    vaxdb.ok("dev", "stop")
    other = {"VAXDB_PG_BINDIR": str(bindir(16))}
    failed = vaxdb.fails(1, "dev", "start", env=other)
    assert "made by PostgreSQL 15" in failed.stderr
    assert "PostgreSQL 16" in failed.stderr
    assert "nothing was changed" in failed.stderr
    assert vaxdb.ok("dev", "status", "--json", env=other).json["state"] == "other version"
    vaxdb.ok("dev", "start")


def test_a_state_path_too_long_for_a_socket(vaxdb):
    state = vaxdb.folder / ("long" * 25) / ("path" * 25)
    env = {"VAXDB_STATE_DIR": str(state)}
    started = vaxdb.ok("dev", "start", "--json", env=env).json
    sockets = started["socket_directory"]
    assert len(sockets) < 80
    assert stat.S_IMODE(os.stat(sockets).st_mode) == 0o700
    url = vaxdb.ok("dev", "url", env=env).stdout.strip()
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1")
    vaxdb.ok("dev", "stop", env=env)
    assert vaxdb.ok("dev", "start", "--json", env=env).json["socket_directory"] == sockets
    vaxdb.ok("dev", "stop", env=env)
    shutil.rmtree(sockets)


def test_reset_asks(vaxdb):
    vaxdb.ok("dev", "start")
    with connect(vaxdb) as connection:
        connection.execute("CREATE TABLE kept ()")
    refused = vaxdb.fails(3, "dev", "reset")
    assert "-y" in refused.stderr
    with connect(vaxdb) as connection:
        connection.execute("SELECT FROM kept")
    vaxdb.ok("dev", "reset", "-y")
    with connect(vaxdb) as connection, pytest.raises(psycopg.errors.UndefinedTable):
        connection.execute("SELECT FROM kept")


@pytest.mark.skipif(not as_root, reason="only root starts servers as another user")
def test_a_state_directory_that_the_servers_user_cannot_enter(vaxdb):
    closed = vaxdb.folder / "closed"
    closed.mkdir(mode=0o700)
    failed = vaxdb.fails(1, "dev", "start", env={"VAXDB_STATE_DIR": str(closed / "state")})
    assert "cannot enter" in failed.stderr
    assert str(closed) in failed.stderr
    assert "VAXDB_STATE_DIR" in failed.stderr


@pytest.fixture
def small_disk(scratch):
    """A function that mounts a file system of so many MiB."""
    mounted = []

    def mount(size_mib):
        folder = scratch / f"disk{len(mounted)}"
        folder.mkdir()
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m,mode=755", "tmpfs", folder], check=True
        )
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(not as_root, reason="only root mounts a small disk")
def test_a_full_disk_at_the_first_start(vaxdb, small_disk):
    disk = small_disk(60)
    failed = vaxdb.fails(1, "dev", "start", env={"VAXDB_STATE_DIR": str(disk / "state")})
    assert "disk is full" in failed.stderr
    assert not (disk / "state/cluster/data").exists()
    assert not (vaxdb.work / "vaxdb.ini").exists()


@pytest.mark.skipif(not as_root, reason="only root mounts a small disk")
def test_a_disk_that_fills_up_during_initdb_leaves_nothing(vaxdb, small_disk):
    disk = small_disk(100)
    env = {"VAXDB_STATE_DIR": str(disk / "state")}
    process = vaxdb.start("dev", "start", env=env)
    fresh = disk / "state/cluster/data.new"
    wait_until(lambda: fresh.exists() or process.poll() is not None)
    fill(disk, keep_mib=8)
    failed = vaxdb.finish(process)
    assert failed.status == 1, failed
    assert "No space left on device" in failed.stderr, failed
    assert not fresh.exists()
    assert not (disk / "state/cluster/data").exists()
    (disk / "filler").unlink()


def fill(disk, keep_mib=0):
    """Writes until so much is free."""
    with open(disk / "filler", "wb", buffering=0) as filler:
        while True:
            left = shutil.disk_usage(disk).free - keep_mib * 2**20
            if left <= 0:
                return
            try:
                filler.write(b"x" * min(left, 2**20))
            except OSError:
                return


@pytest.mark.skipif(not as_root, reason="only root mounts a small disk")
def test_a_full_disk_at_a_later_start_loses_nothing(vaxdb, small_disk):
    disk = small_disk(160)
    env = {"VAXDB_STATE_DIR": str(disk / "state")}
    vaxdb.ok("dev", "start", env=env)
    url = vaxdb.ok("dev", "url", env=env).stdout.strip()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    pid = int((disk / "state/cluster/data/postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: is_gone(pid))
    fill(disk)
    failed = vaxdb.fails(1, "dev", "start", env=env)
    assert "No space left on device" in failed.stderr, failed
    (disk / "filler").unlink()
    vaxdb.ok("dev", "start", env=env)
    url = vaxdb.ok("dev", "url", env=env).stdout.strip()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    vaxdb.ok("dev", "stop", env=env)
