"""The broker of a laptop: kombu's folder of messages, made to survive workers that die or meet over one message.

kombu opens a message's file before it writes it, so a reader can find it empty, and then the reading worker ends.
Here a message appears whole or not at all. One that can't be read is as good as lost, which the queue of record
expects anyway. And it is read at once: kombu looks into the folder every second, here whoever writes rings a bell.
"""

import math
import os
import uuid
from pathlib import Path
from queue import Empty
from time import monotonic

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps

from .bells import Bell, ring


class Channel(filesystem.Channel):
    def _put(self, queue, payload, **_options):
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unfinished = Path(self.data_folder_out, f"{name}.part")  # no reader looks for such a name
        unfinished.write_text(dumps(payload))
        os.replace(unfinished, Path(self.data_folder_out, name))
        ring(Path(self.control_folder))

    def _get(self, queue, timeout=None):
        try:
            return super()._get(queue)
        except ValueError:  # half a message, left by a full disk
            raise Empty from None

    def get_table(self, exchange):
        try:
            return super().get_table(exchange)
        except ValueError:
            return []

    def _queue_bind(self, exchange, *args):
        try:
            super()._queue_bind(exchange, *args)
        except ValueError:  # a worker died while it wrote this list, which would end each one after it
            self._exchange_file(exchange).unlink(missing_ok=True)
            super()._queue_bind(exchange, *args)


class Transport(filesystem.Transport):
    Channel = Channel
    _bell: Bell | None = None

    def establish_connection(self):
        """Raises OSError where there is no folder and none can be made: /readyz asks this way."""
        for name in ("data_folder_in", "data_folder_out", "control_folder"):
            Path(self.client.transport_options[name]).mkdir(parents=True, exist_ok=True)
        return super().establish_connection()

    def drain_events(self, connection, timeout=None):
        """Delivers a message, or raises TimeoutError where none comes within `timeout` seconds."""
        bell = self._bell = self._bell or Bell(Path(self.client.transport_options["control_folder"]))
        end = math.inf if timeout is None else monotonic() + timeout
        while True:  # a bell that hangs before the folder is looked at misses nothing
            try:
                return self.cycle.get(self._deliver, timeout=timeout)
            except Empty:
                if monotonic() >= end:
                    raise TimeoutError from None
            bell.wait(min(self.polling_interval, end - monotonic()))

    def close_connection(self, connection):
        super().close_connection(connection)
        if self._bell:
            self._bell.close()
            self._bell = None


def install() -> None:
    TRANSPORT_ALIASES["filesystem"] = "sorahub.broker:Transport"
