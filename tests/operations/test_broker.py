"""The broker of a laptop: a message wakes whoever waits for it, and the dead are in nobody's way."""

import os
import threading
import time

import pytest
from kombu import Connection, Queue

from sorahub import broker
from sorahub.bells import Bell, ring

SOON = 0.3  # seconds; kombu alone looks into the folder once a second
QUEUE = Queue("engine", routing_key="engine")


@pytest.fixture
def open_connection(tmp_path):
    broker.install()
    folders = dict.fromkeys(("data_folder_in", "data_folder_out"), str(tmp_path / "broker"))
    opened = []

    def open_one() -> Connection:
        opened.append(
            Connection(
                "filesystem://", transport_options=folders | {"control_folder": str(tmp_path / "control")}
            )
        )
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.release()


def send(connection: Connection, word: str) -> None:
    with connection.Producer() as producer:
        producer.publish({"word": word}, routing_key="engine", declare=[QUEUE])


def heard_by(connection: Connection, *, within: float) -> list[tuple[str, float]]:
    """Words, and how long ago they had been sent when they were heard."""
    heard = []

    def hear(body, message):
        message.ack()
        heard.append((body["word"], time.monotonic()))

    with connection.Consumer([QUEUE], callbacks=[hear]):
        connection.drain_events(timeout=within)
    return heard


def test_who_waits_hears_a_message_at_once(open_connection):
    waiting, sending = open_connection(), open_connection()
    for number in range(3):
        sent = []

        def send_later(number=number, sent=sent):
            time.sleep(0.05)
            sent.append(time.monotonic())
            send(sending, f"word {number}")

        thread = threading.Thread(target=send_later)
        thread.start()
        [(word, at)] = heard_by(waiting, within=10)
        thread.join()
        assert word == f"word {number}"
        assert at - sent[0] < SOON


def test_what_was_sent_before_anybody_waited_is_heard(open_connection):
    send(open_connection(), "early")
    [(word, _at)] = heard_by(open_connection(), within=10)
    assert word == "early"


def test_waiting_for_nothing_ends_in_time_and_takes_the_bell_down(open_connection, tmp_path):
    waiting = open_connection()
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        heard_by(waiting, within=0.2)
    assert 0.15 < time.monotonic() - started < 1
    assert len(list((tmp_path / "control").glob("*.bell"))) == 1
    waiting.release()
    assert not list((tmp_path / "control").glob("*.bell"))


def test_a_ring_that_comes_before_the_waiting_counts_once(tmp_path):
    bell = Bell(tmp_path)
    for _number in range(3):
        ring(tmp_path)
    started = time.monotonic()
    bell.wait(10)
    assert time.monotonic() - started < SOON
    bell.wait(0.2)
    assert time.monotonic() - started > 0.2
    bell.close()


def test_a_bell_that_nobody_empties_stops_no_ringer(tmp_path):
    bell = Bell(tmp_path)
    os.set_blocking(bell.pipe, True)
    for _number in range(70_000):  # a pipe holds 65,536 bytes
        ring(tmp_path)
    bell.wait(0)
    bell.close()


def test_a_bell_whose_owner_was_killed_is_taken_down_by_the_next_ringer(tmp_path):
    left = Bell(tmp_path)
    os.close(left.pipe)
    bell = Bell(tmp_path)
    ring(tmp_path)
    assert list(tmp_path.iterdir()) == [bell.path]
    bell.close()
