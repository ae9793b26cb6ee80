"""A pooler in transaction mode, as small as one can be: clients come in without a password, and each
of their transactions runs on the server connection that was used last."""

import select
import socket
import struct
import threading

import psycopg


class Pooler:
    def __init__(self, database, size=4):
        self._idle = [psycopg.connect(database.url, autocommit=True) for _ in range(size)]
        self._all = list(self._idle)
        self._changed = threading.Condition()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, dbname):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{dbname}?sslmode=disable"

    def close(self):
        self._listener.close()
        for server in self._all:
            server.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        try:
            (length,) = struct.unpack("!i", client.recv(4, socket.MSG_WAITALL))
            client.recv(length - 4, socket.MSG_WAITALL)
            client.sendall(self._greeting())
            while True:
                data = client.recv(65536)
                if not data or data[:1] == b"X":
                    return
                self._transaction(client, data)
        except OSError:
            pass
        finally:
            client.close()

    def _greeting(self):
        answer = b"R" + struct.pack("!ii", 8, 0)
        for name, value in (
            ("server_version", "15.0"),
            ("client_encoding", "UTF8"),
            ("standard_conforming_strings", "on"),
        ):
            text = f"{name}\0{value}\0".encode()
            answer += b"S" + struct.pack("!i", len(text) + 4) + text
        # A key of the pooler's own: it is not the server's process.
        answer += b"K" + struct.pack("!iii", 12, 4242, 1)
        return answer + b"Z" + struct.pack("!i", 5) + b"I"

    def _transaction(self, client, data):
        """From the first message to the answer that says no transaction is open."""
        with self._changed:
            while not self._idle:
                self._changed.wait()
            server = self._idle.pop()
        wire = socket.socket(fileno=socket.dup(server.fileno()))
        wire.setblocking(True)
        answer, done = b"", False
        try:
            wire.sendall(data)
            pending = b""
            while not done:
                ready, _, _ = select.select([client, wire], [], [])
                if client in ready:
                    data = client.recv(65536)
                    if not data:
                        return
                    wire.sendall(data)
                if wire in ready:
                    answer = wire.recv(65536)
                    pending, status = self._last_status(pending + answer)
                    done = status == b"I" and not pending
                    if not done:
                        client.sendall(answer)
        finally:
            wire.close()
            with self._changed:
                self._idle.append(server)
                self._changed.notify()
        client.sendall(answer)  # once the server connection is free for the next

    @staticmethod
    def _last_status(data):
        """What is left after whole messages, and the status of the last ReadyForQuery."""
        status = None
        while len(data) >= 5:
            (length,) = struct.unpack("!i", data[1:5])
            if len(data) < 1 + length:
                break
            status = data[5:6] if data[:1] == b"Z" else None
            data = data[1 + length :]
        return data, status
