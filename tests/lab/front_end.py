"""The browser's part: opens comms, records what the kernel sends, sends what a person does."""

import asyncio
import itertools
import time

from comm.base_comm import BaseComm


async def until(condition, seconds=600):
    """Let the event loop run until `condition()` holds: a busy machine takes its time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        await asyncio.sleep(0.01)


class RecordingComm(BaseComm):
    log = None  # the front end's list; shared by all comms of one test

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.log.append((self.comm_id, msg_type, data, sum(len(b) for b in buffers or ())))


class FrontEnd:
    """Records messages, in order, and moves controls as a browser would."""

    def __init__(self):
        self.messages = []
        self._comm_class = type("Comm", (RecordingComm,), {"log": self.messages})
        self._number = itertools.count()

    def create_comm(self, *args, **kwargs):
        return self._comm_class(*args, **kwargs)

    def move(self, widget, value):
        """Send what JupyterLab sends when a person sets `widget` to `value`."""
        data = {"method": "update", "state": {"value": value}, "buffer_paths": []}
        self._send(widget, data)

    def choose(self, widget, index):
        """Send what JupyterLab sends when a person picks an option of a drop-down."""
        state = {"index": index}
        self._send(widget, {"method": "update", "state": state, "buffer_paths": []})

    def press(self, button):
        """Send what JupyterLab sends when a person presses `button`."""
        self._send(button, {"method": "custom", "content": {"event": "click"}})

    def _send(self, widget, data):
        header = {"msg_id": f"message-{next(self._number)}"}
        widget.comm.handle_msg({"header": header, "content": {"data": data}, "buffers": []})

    def send(self, widget, content):
        """Send what a widget's own JavaScript sends."""
        self._send(widget, {"method": "custom", "content": content})

    def updates(self, widget, trait="value"):
        """Return the sizes of the updates of `widget`'s trait since the last `clear`."""
        return [
            size
            for comm_id, kind, data, size in self.messages
            if comm_id == widget.model_id
            and kind == "comm_msg"
            and data["method"] == "update"
            and (trait in data["state"] or [trait] in data["buffer_paths"])
        ]

    def clear(self):
        self.messages.clear()
