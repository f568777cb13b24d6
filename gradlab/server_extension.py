"""Jupyter server extension: send answers of a kernel at once.

jupyter_server leaves Nagle's algorithm on for the websockets that carry kernel messages. A small
message then waits until the one before it was acknowledged, and browsers delay acknowledgements by
up to 40 ms: a slider's picture comes that much later. This sets TCP_NODELAY on those sockets, and
does nothing else. Installing gradlab enables it (server_extension.json).
"""

from __future__ import annotations

from typing import Any

#: Where a server keeps the class that joins a websocket to a kernel.
SETTING = "kernel_websocket_connection_class"


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name this module to jupyter_server."""
    return [{"module": "gradlab.server_extension"}]


def _load_jupyter_server_extension(server: Any) -> None:
    """Make `server` open its kernel websockets with TCP_NODELAY.

    The class that joins a websocket to a kernel is a setting of the server: it is replaced by a
    subclass of whatever stands there, for this server alone. Nothing is patched. Where the setting
    is missing (another version, another server) one line in the log says so.
    """
    settings = server.web_app.settings
    connection = settings.get(SETTING)
    if not isinstance(connection, type) or not callable(getattr(connection, "connect", None)):
        server.log.info("gradlab: no usable %s here, TCP_NODELAY not set", SETTING)
        return
    settings[SETTING] = without_delay(connection)


def without_delay(connection: type) -> type:
    """Return a subclass of `connection` that sets TCP_NODELAY before it connects."""

    class NoDelayConnection(connection):
        def connect(self) -> Any:
            try:
                self.websocket_handler.set_nodelay(True)
            except Exception as error:  # whatever happens here, the kernel must be reached
                self.log.info("gradlab: TCP_NODELAY not set: %r", error)
            return super().connect()

    return NoDelayConnection
