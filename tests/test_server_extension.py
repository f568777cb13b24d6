"""A real Jupyter server, a real kernel websocket, and the option read off the live socket."""

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
import websocket

from gradlab.server_extension import _load_jupyter_server_extension

# An extension of the test's own that finds, in the server's process, the socket whose peer is the
# given port. It knows nothing of jupyter_server's or gradlab's classes.
PROBE = textwrap.dedent(
    """
    import os, socket
    from tornado.web import RequestHandler

    class Probe(RequestHandler):
        def get(self, port):
            for fd in range(3, 512):
                try:
                    peer = socket.socket(fileno=os.dup(fd))
                except OSError:
                    continue
                with peer:
                    try:
                        if peer.getpeername()[1] != int(port):
                            continue
                    except (OSError, IndexError):
                        continue
                    return self.write(str(peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
            self.write("no such peer")

    def _load_jupyter_server_extension(server):
        server.web_app.add_handlers(".*", [(r"/probe/([0-9]+)", Probe)])
    """
)


@contextmanager
def jupyter_server(folder, *, gradlab=None):
    """Run a server on loopback that knows nothing of the user's settings; yield (port, token)."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    (folder / "probe_extension.py").write_text(PROBE)
    extensions = {"probe_extension": True} | ({} if gradlab is None else gradlab)
    (folder / "config").mkdir()
    (folder / "config" / "jupyter_server_config.json").write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": extensions}})
    )
    env = os.environ | {
        "PYTHONPATH": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
    }
    options = [
        f"--port={port}",
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
    ]
    options += ["--ip=127.0.0.1", "--ServerApp.port_retries=0", "--no-browser", "--allow-root"]
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options], env=env, stdout=log, stderr=log
        )
        try:
            wait_until_it_answers(server, port, token, folder / "log")
            yield port, token
        finally:
            server.terminate()
            server.wait(300)


def wait_until_it_answers(server, port, token, log):
    end = time.monotonic() + 600
    while True:
        try:
            return request(port, token, "api/status")
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise RuntimeError(log.read_text()[-3000:]) from None
            time.sleep(0.1)


def request(port, token, path, data=None):
    call = urllib.request.Request(
        f"http://127.0.0.1:{port}/{path}", data, {"Authorization": f"token {token}"}
    )
    with urllib.request.urlopen(call, timeout=300) as answer:
        return answer.read().decode()


def nodelay_of_a_kernel_websocket(port, token):
    """Open a kernel's websocket as a browser does and ask the server about its end of it."""
    kernel = json.loads(request(port, token, "api/kernels", b"{}"))["id"]
    client = websocket.create_connection(
        f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?session_id=test",
        header=[f"Authorization: token {token}"],
        timeout=300,
    )
    try:
        client.recv()  # a status message: the connection was made, not only the handshake
        return request(port, token, f"probe/{client.sock.getsockname()[1]}")
    finally:
        client.close()


def test_installing_the_package_sets_nodelay_on_kernel_websockets(tmp_path):
    with jupyter_server(tmp_path) as (port, token):
        assert nodelay_of_a_kernel_websocket(port, token) == "1"


@pytest.mark.soak
def test_without_the_extension_nagle_is_on(tmp_path):
    """The control: if this fails, the server does it by itself and the extension can go."""
    with jupyter_server(tmp_path, gradlab={"gradlab.server_extension": False}) as (port, token):
        assert nodelay_of_a_kernel_websocket(port, token) == "0"


class Connection:
    """Stands for the server's class that joins a websocket to a kernel."""

    def __init__(self, set_nodelay):
        self.log = logging.getLogger("test")
        self.websocket_handler = SimpleNamespace(set_nodelay=set_nodelay)

    def connect(self):
        return "connected"


def server_with(**settings):
    app = SimpleNamespace(settings=settings)
    return SimpleNamespace(web_app=app, log=logging.getLogger("test"))


def test_only_the_connection_class_of_this_server_changes():
    server = server_with(kernel_websocket_connection_class=Connection, other=1)
    _load_jupyter_server_extension(server)
    assert server.web_app.settings.keys() == {"kernel_websocket_connection_class", "other"}
    assert server.web_app.settings["other"] == 1
    changed = server.web_app.settings["kernel_websocket_connection_class"]
    assert issubclass(changed, Connection)
    calls = []
    assert changed(calls.append).connect() == "connected"
    assert calls == [True]
    assert Connection(calls.append).connect() == "connected"
    assert calls == [True]  # the class that stood there is as it was


def test_a_socket_that_refuses_still_gets_its_kernel(caplog):
    def refuse(value):
        raise AttributeError("no stream")

    server = server_with(kernel_websocket_connection_class=Connection)
    _load_jupyter_server_extension(server)
    changed = server.web_app.settings["kernel_websocket_connection_class"]
    with caplog.at_level(logging.INFO):
        assert changed(refuse).connect() == "connected"
    assert "no stream" in caplog.text


@pytest.mark.parametrize("found", [None, "a name", object])
def test_unknown_internals_are_left_alone(found, caplog):
    settings = {} if found is None else {"kernel_websocket_connection_class": found}
    server = server_with(**settings)
    with caplog.at_level(logging.INFO):
        _load_jupyter_server_extension(server)
    assert server.web_app.settings == settings
    assert "TCP_NODELAY not set" in caplog.text
