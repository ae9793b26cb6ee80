"""A network that can be cut: everything passes through until a chosen message of the clients."""

import socket
import struct
import threading

HOW = ("undelivered", "delivered", "answered")
# Messages in which migrations are sent: simple queries and data for COPY. Others look something up, or
# note that a file begins.
ACTING = b"Qdcf"


class Wire:
    """Stands between clients and a server; `url(database)` leads through it.

    `cut_at(n, how)` ends every connection at the n-th message that the clients send from now on:
    before the server has got it ("undelivered"), as soon as it has ("delivered"), or when it has done
    it all and its answer is on the way back ("answered"). struck, if given, is called then.
    Connections made after that pass again. kinds: which messages count, all for None."""

    def __init__(self, server, kinds=None):
        self._server = server
        self._kinds = kinds
        self._lock = threading.Lock()
        self._pairs = set()
        self._left = None
        self._how = HOW[0]
        self._struck = None
        self._dropping = None  # the pair whose next answer does not arrive
        self.messages = 0  # of the clients, without those that open a connection
        self.was_cut = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, database):
        return database.server.url(database.name, port=self.port) + "?sslmode=disable"

    def cut_at(self, message, how, struck=None):
        with self._lock:
            self._left, self._how = message, how
            self.was_cut.clear()
            self._struck, self._dropping = struck, None

    def mend(self):
        with self._lock:
            self._left = None

    def close(self):
        self._listener.close()
        self._cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection((self._server.host, self._server.port))
            except OSError:
                if self._listener.fileno() < 0:
                    return
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            threading.Thread(target=self._upstream, args=(pair,), daemon=True).start()
            threading.Thread(target=self._downstream, args=(pair,), daemon=True).start()

    def _cut(self):
        with self._lock:
            pairs, self._pairs = self._pairs, set()
            struck, self._struck = self._struck, None
        if struck:
            struck()
        for pair in pairs:
            _end(pair)
        self.was_cut.set()

    def _leave(self, pair):
        with self._lock:
            self._pairs.discard(pair)
        _end(pair)

    def _downstream(self, pair):
        client, server = pair
        dropped = b""
        try:
            while data := server.recv(65536):
                if self._dropping != pair:
                    client.sendall(data)
                    continue
                ready, dropped = _read_answer(dropped + data)
                if ready:
                    self._cut()
        except OSError:
            pass
        self._leave(pair)

    def _upstream(self, pair):
        client, server = pair
        try:
            head = _exactly(client, 4)
            server.sendall(head + _exactly(client, struct.unpack("!i", head)[0] - 4))
            while True:
                head = _exactly(client, 5)
                message = head + _exactly(client, struct.unpack("!i", head[1:])[0] - 4)
                last = self._count(head[:1])
                if last and self._how == "answered":
                    self._dropping = pair
                if not last or self._how != "undelivered":
                    server.sendall(message)
                if last and self._how != "answered":
                    self._cut()
        except OSError:
            pass
        self._leave(pair)

    def _count(self, kind):
        """Is this the message to cut at? Passwords do not count: every run would begin there."""
        if kind == b"p" or (self._kinds and kind not in self._kinds):
            return False
        with self._lock:
            self.messages += 1
            if self._left is None:
                return False
            self._left -= 1
            if self._left > 0:
                return False
            self._left = None
            return True


def _read_answer(data):
    """Is there ReadyForQuery among the messages, or the invitation to send data? And what is left of
    data behind whole messages."""
    ready = False
    while len(data) >= 5:
        length = 1 + struct.unpack("!i", data[1:5])[0]
        if len(data) < length:
            break
        ready |= data[:1] in b"ZG"
        data = data[length:]
    return ready, data


def _exactly(connection, length):
    data = connection.recv(length, socket.MSG_WAITALL) if length else b""
    if len(data) < length:
        raise OSError("the other side is gone")
    return data


def _end(pair):
    for end in pair:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()
