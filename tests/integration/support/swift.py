"""A real S3 server, from Debian: OpenStack Swift with its s3api, on loopback and in one folder.

Requests are signed with KEY and SECRET for REGION, path style. It checks signatures, which smaller
servers for tests do not all do."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

from .servers import as_user, clean_environment, end_with_parent, free_port
from .waiting import wait_until

KEY = "test:tester"
SECRET = "testing"
REGION = "us-east-1"

# tempauth wants a cache for tokens, which S3 does not use: none has to listen.
PIPELINE = (
    "catch_errors proxy-logging cache listing_formats bulk s3api tempauth slo dlo proxy-logging proxy-server"
)
FILTERS = ("catch_errors", "listing_formats", "bulk", "slo", "dlo")
KINDS = ("account", "container", "object")

# Rings of one device, in one zone of one region, each object once.
MAKE_RINGS = """
import json, sys
from swift.common.ring import RingBuilder
for kind, port in json.loads(sys.argv[2]).items():
    builder = RingBuilder(4, 1, 1)
    builder.add_dev({"region": 1, "zone": 1, "ip": "127.0.0.1", "port": port, "device": "d1",
                     "weight": 1.0, "replication_ip": "127.0.0.1", "replication_port": port,
                     "meta": ""})
    builder.rebalance()
    builder.get_ring().save(f"{sys.argv[1]}/{kind}.ring.gz")
"""


def _user():
    """Run by root it is Debian's user of Swift."""
    return pwd.getpwnam("swift") if os.geteuid() == 0 else None


def _folder():
    """Swift keeps what it knows of an object in extended attributes of its file."""
    for parent in (os.environ.get("VAXDB_TEST_ROOT"), "/var/tmp", "/tmp"):
        if not parent:
            continue
        folder = Path(tempfile.mkdtemp(prefix="vaxdb-test-swift-", dir=parent))
        folder.chmod(0o755)
        try:
            os.setxattr(folder, "user.test", b"1")
            return folder
        except OSError:
            folder.rmdir()
    raise RuntimeError("no file system with extended attributes: Swift cannot run")


def _client(endpoint):
    """Amazon's own, as Debian's awscli has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports what is deprecated
        from awscli.botocore.session import get_session

        return get_session().create_client(
            "s3",
            region_name=REGION,
            endpoint_url=endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
        )


class Swift:
    def __init__(self):
        self.folder = _folder()
        self.ports = {kind: free_port() for kind in (*KINDS, "proxy")}
        self.endpoint = f"http://127.0.0.1:{self.ports['proxy']}"
        self._user = _user()
        self._processes = {}
        self.client = _client(self.endpoint)
        nodes = self.folder / "nodes"
        (nodes / "d1").mkdir(parents=True)
        self._write("swift.conf", self._swift_conf())
        for kind in KINDS:
            self._write(f"{kind}.conf", self._server_conf(kind))
        self._write("proxy.conf", self._proxy_conf())
        self._make_rings()
        if self._user:
            for path in (self.folder, *self.folder.rglob("*")):
                shutil.chown(path, self._user.pw_uid, self._user.pw_gid)

    def start(self):
        for kind in (*KINDS, "proxy"):
            self._launch(kind)
        for kind in (*KINDS, "proxy"):
            wait_until(lambda kind=kind: self._answers(kind), timeout_s=90)
        return self

    def start_one(self, kind):
        self._launch(kind)
        wait_until(lambda: self._answers(kind), timeout_s=90)

    def _launch(self, kind):
        log = open(self.folder / f"{kind}.log", "ab")
        program = shutil.which(f"swift-{kind}-server")
        if not program:
            raise RuntimeError(f"swift-{kind}-server is missing: ./run test installs it")
        with log:
            self._processes[kind] = subprocess.Popen(
                [sys.executable, program, str(self.folder / f"{kind}.conf"), "-v"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**clean_environment(), "HOME": str(self.folder), "EVENTLET_NO_GREENDNS": "yes"},
                start_new_session=True,
                preexec_fn=end_with_parent,
                **as_user(self._user),
            )

    def kill_one(self, kind):
        """As a crash, with the workers it has."""
        process = self._processes.pop(kind)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(30)

    def close(self):
        self.client._endpoint.http_session._manager.clear()  # it has no close() yet
        for kind in list(self._processes):
            self.kill_one(kind)
        shutil.rmtree(self.folder, ignore_errors=True)

    def names(self, bucket):
        """Of the objects in a bucket."""
        listing = self.client.list_objects_v2(Bucket=bucket)
        return [entry["Key"] for entry in listing.get("Contents", [])]

    def content(self, bucket, key):
        return self.client.get_object(Bucket=bucket, Key=key)["Body"].read()

    def aws(self, *arguments):
        """Debian's awscli, with the right keys. It takes a second each time: client does not."""
        done = subprocess.run(
            ["aws", "--endpoint-url", self.endpoint, *map(str, arguments)],
            env={
                **clean_environment(),
                "HOME": str(self.folder),
                "AWS_ACCESS_KEY_ID": KEY,
                "AWS_SECRET_ACCESS_KEY": SECRET,
                "AWS_DEFAULT_REGION": REGION,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _write(self, name, text):
        (self.folder / name).write_text(text)

    def _answers(self, kind):
        process = self._processes[kind]
        assert process.poll() is None, (self.folder / f"{kind}.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.ports[kind])).close()
        except OSError:
            return False
        return True

    def _make_rings(self):
        """In one process: swift-ring-builder takes nine, of a second each."""
        ports = {kind: self.ports[kind] for kind in KINDS}
        subprocess.run(
            [sys.executable, "-c", MAKE_RINGS, str(self.folder), json.dumps(ports)],
            check=True,
            env=clean_environment(),
        )

    def _default(self, kind):
        user = f"user = {self._user.pw_name}\n" if self._user else ""
        return (
            "[DEFAULT]\nbind_ip = 127.0.0.1\n"
            f"bind_port = {self.ports[kind]}\nworkers = 0\n{user}"
            f"swift_dir = {self.folder}\nlog_level = WARNING\n"
        )

    def _server_conf(self, kind):
        return (
            self._default(kind)
            + f"devices = {self.folder}/nodes\nmount_check = false\n"
            + f"[pipeline:main]\npipeline = {kind}-server\n"
            + f"[app:{kind}-server]\nuse = egg:swift#{kind}\n"
        )

    def _proxy_conf(self):
        filters = "".join(f"[filter:{name}]\nuse = egg:swift#{name}\n" for name in FILTERS)
        return (
            self._default("proxy")
            + f"[pipeline:main]\npipeline = {PIPELINE}\n"
            + "[app:proxy-server]\nuse = egg:swift#proxy\naccount_autocreate = true\n"
            + "[filter:cache]\nuse = egg:swift#memcache\nmemcache_servers = 127.0.0.1:9\n"
            + "[filter:proxy-logging]\nuse = egg:swift#proxy_logging\n"
            + "[filter:tempauth]\nuse = egg:swift#tempauth\nuser_test_tester = testing .admin\n"
            + f"[filter:s3api]\nuse = egg:swift#s3api\ns3_acl = false\nlocation = {REGION}\n"
            + filters
        )

    @staticmethod
    def _swift_conf():
        return (
            "[swift-hash]\nswift_hash_path_prefix = vaxdb\nswift_hash_path_suffix = test\n"
            "[storage-policy:0]\nname = one\ndefault = yes\n"
        )
