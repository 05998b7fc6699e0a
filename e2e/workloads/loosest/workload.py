"""A workload that reads a request as loosely as the loosest framework, whichever that is.

Each reading is that of some software that docs/workloads.md names. What this program can't be talked
into, no framework can be talked into either.
"""

import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, unquote_plus

METHOD_OVERRIDES = ("X_HTTP_METHOD_OVERRIDE", "X_HTTP_METHOD", "X_METHOD_OVERRIDE")
PATH_OVERRIDES = ("X_ORIGINAL_URL", "X_REWRITE_URL", "X_WAWS_UNENCODED_URL")
METADATA = "GRPC_METADATA_"


def known_header(name):
    """A name as CGI programs behind lighttpd know it: what is no letter and no digit is `_`."""
    return re.sub("[^A-Z0-9]", "_", name.strip().upper())


def headers_of(lines):
    """The headers as the programs behind a proxy see them, and behind grpc-gateway too."""
    lines = [(known_header(name), value) for name, value in lines]
    named = [name for known, value in lines if known == "CONNECTION" for name in value.split(",")]
    # A proxy drops what `connection` names (RFC 9110, section 7.6.1).
    dropped = {known_header(name) for name in named}
    headers = {}
    for name, value in lines:
        if name not in dropped:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    metadata = {name: value for name, value in headers.items() if name.startswith(METADATA)}
    return headers | {name.removeprefix(METADATA): value for name, value in metadata.items()}


def method_of(method, headers):
    for name in METHOD_OVERRIDES:
        method = headers.get(name, method)
    return method.upper()


def path_of(path, headers):
    """The path that IIS, Tomcat and Express would make of it, in lower case."""
    for name in PATH_OVERRIDES:
        path = headers.get(name, path)
    path = path.removeprefix(headers.get("SCRIPT_NAME", ""))
    # Some decode twice.
    path = unquote(unquote(path)).replace("\\", "/")
    segments = []
    for segment in path.split("/"):
        segment = segment.split(";")[0].split("\0")[0]
        if segment == "..":
            segments = segments[:-1]
        elif segment not in ("", "."):
            segments.append(segment.removesuffix(".json"))
    return "/" + "/".join(segments).lower()


def known(name):
    """A name as PHP and ASP.NET know it: without an index, with `_`, in any case."""
    name = re.sub(r"\[[^\]]*\]", "", name.strip())
    return re.sub(r"[. \[]", "_", name).lower()


def first(pairs, wanted):
    return next((value for name, value in pairs if known(name) == wanted), None)


def parameters_of(query):
    for part in re.split("[&;]", query):
        name, _, value = part.partition("=")
        yield unquote_plus(name), unquote_plus(value)


def cookies_of(headers):
    """As Python's http.cookies, Tomcat's legacy cookies, and what decodes names."""
    for part in re.split(r"[;,\s]+", headers.get("COOKIE", "")):
        name, _, value = part.partition("=")
        yield unquote(name), value


def tokens_of(query, headers):
    yield first(parameters_of(query), "access_token")
    yield headers.get("AUTHORIZATION")
    yield headers.get("X_JWT")


def understood(method, target, lines):
    path, _, query = target.partition("?")
    headers = headers_of(lines)
    path = path_of(path, headers)
    return {
        "area": {"admin": "admin", "item": "item"}.get(path.split("/")[1]),
        "method": method_of(method, headers),
        "path": path,
        "host": headers.get("HOST"),
        "subject": headers.get("X_SUB"),
        "token": next(filter(None, tokens_of(query, headers)), None),
        "cookie": first(cookies_of(headers), "session_id"),
    }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name):
        """Every method is answered, also one in lower case."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps(understood(self.command, self.path, self.headers.items()))
        # Envoy shows nothing of an answer that refuses a WebSocket.
        if self.headers.get("upgrade") == "websocket":
            self.send_response(101)
            self.send_header("connection", "upgrade")
            self.send_header("upgrade", "websocket")
            self.send_header("x-test-understood", body)
            self.end_headers()
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """The tests read standard output."""


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


main()
