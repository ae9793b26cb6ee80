"""A way to an HTTP server on which things go wrong: it passes requests on as they are and notes
them, and a test may put an answer of its own, or none, in the place of the server's."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CUT = object()  # the connection ends without an answer


class Request:
    def __init__(self, method, target, headers):
        self.method = method
        self.target = target
        self.headers = headers
        self.path = urlsplit(target).path
        self.query = parse_qs(urlsplit(target).query, keep_blank_values=True)


class FaultyHttp:
    """`fault` is called with each Request, one at a time: None passes it on; (status, body) is the
    answer, and the server does not see the request; CUT ends the connection. `after` likewise, with
    the request, the server's status and body, once it has answered. `date` is what the answers of
    fault say it is; `cut_after` cuts the next longer answer of the server after so many bytes."""

    def __init__(self, port):
        self.requests = []
        self.fault = lambda request: None
        self.after = lambda request, status, body: None
        self.date = None
        self.cut_after = None
        self._port = port
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def sent_parts(self):
        """Numbers of the parts that were put, in order."""
        return [
            int(request.query["partNumber"][0])
            for request in self.requests
            if request.method == "PUT" and "partNumber" in request.query
        ]

    def _note(self, request):
        with self._lock:
            self.requests.append(request)
            return self.fault(request)

    def _pass_on(self, request, body):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.putrequest(
                request.method, request.target, skip_host=True, skip_accept_encoding=True
            )
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _handler(self):
        way = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                length = int(self.headers.get("Content-Length", 0))
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True
                    return
                request = Request(self.command, self.path, self.headers)
                verdict = way._note(request)
                if verdict is None:
                    try:
                        status, headers, content = way._pass_on(request, body)
                    except OSError:
                        self.close_connection = True
                        return
                    with way._lock:
                        verdict = way.after(request, status, content)
                    if verdict is None:
                        self.answer(status, headers, content)
                        return
                if verdict is CUT:
                    self.close_connection = True
                    return
                self.answer(verdict[0], [("Date", way.date)] if way.date else [], verdict[1])

            def answer(self, status, headers, content):
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                length = len(content)
                if self.command == "HEAD":
                    length = next(
                        (int(v) for name, v in headers if name.lower() == "content-length"), 0
                    )
                if status != 204:
                    self.send_header("Content-Length", str(length))
                self.end_headers()
                if self.command == "HEAD":
                    return
                if way.cut_after and length > way.cut_after:
                    content = content[: way.cut_after]
                    way.cut_after = None
                    self.close_connection = True
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_any

        return Handler
