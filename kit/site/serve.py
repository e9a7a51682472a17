"""A server for the built site, on this machine only."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from ..environment import KitError


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def server(folder, port=0):
    """A server of `folder` on the loopback address; KitError where `port` is taken."""
    handler = partial(Quiet, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        raise KitError(
            f"Port {port} is taken by another program: choose another with --port, or "
            "leave it out."
        ) from None


def show(folder, port):
    """Serves `folder` until Ctrl-C."""
    with server(folder, port) as serving:
        print(
            f"http://127.0.0.1:{serving.server_port}/ shows it. Ctrl-C ends it.",
            flush=True,
        )
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            print("The server has ended.")
