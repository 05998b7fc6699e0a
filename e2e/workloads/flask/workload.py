"""Flask: on its own server, or on gunicorn as images run it."""

import os
import signal
import sys
import threading

from flask import Flask, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

app = Flask(__name__)


class MethodOverride:
    """As in Flask's documentation, "HTTP Method Overrides"."""

    def __init__(self, application):
        self.application = application

    def __call__(self, environ, start_response):
        method = environ.get("HTTP_X_HTTP_METHOD_OVERRIDE", "").upper()
        if method in {"GET", "HEAD", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"}:
            environ["REQUEST_METHOD"] = method
        return self.application(environ, start_response)


app.wsgi_app = MethodOverride(app.wsgi_app)


@app.route("/item/<name>", methods=["GET", "POST", "DELETE"])
def item(name):
    return understood("item")


@app.route("/admin", methods=["GET", "POST"], strict_slashes=False)
def admin():
    return understood("admin")


def understood(area):
    return jsonify(
        area=area,
        method=request.method,
        path=request.path,
        host=request.host,
        subject=request.headers.get("x-sub"),
        token=request.args.get("access_token"),
        cookie=request.cookies.get("session_id"),
    )


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        """The tests read standard output."""


def on_its_own_server():
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


def end_with_input():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def on_gunicorn():
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):
        def load_config(self):
            self.cfg.set("bind", "127.0.0.1:0")
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("loglevel", "critical")
            self.cfg.set("when_ready", ready)

        def load(self):
            return app

    def ready(server):
        print(server.LISTENERS[0].sock.getsockname()[1], flush=True)
        threading.Thread(target=end_with_input, daemon=True).start()

    Server().run()


on_gunicorn() if "--gunicorn" in sys.argv else on_its_own_server()
