"""The queue of record, in the database: how a job enters, whose turn it is (claiming), and how it ends.

Messages only say "look"; losing one costs seconds, never a job. Every write about a running job goes through its
open Attempt, so that a worker whose lease has lapsed can't finish what another has taken over.
"""

from .claiming import LOOKS, claim_next, in_turn, is_waiting, renew
from .ending import Stored, cancel, cancel_of_kept_out, finish, give_up, put_back_lapsed
from .entering import (
    AllowanceSpent,
    Blocked,
    NotOffered,
    Paused,
    PictureMissing,
    QueueFull,
    Refused,
    Unserved,
    enqueue,
    price_of,
    unserved_sentence,
)

__all__ = [
    "LOOKS",
    "AllowanceSpent",
    "Blocked",
    "NotOffered",
    "Paused",
    "PictureMissing",
    "QueueFull",
    "Refused",
    "Stored",
    "Unserved",
    "cancel",
    "cancel_of_kept_out",
    "claim_next",
    "enqueue",
    "finish",
    "give_up",
    "in_turn",
    "is_waiting",
    "price_of",
    "put_back_lapsed",
    "renew",
    "unserved_sentence",
]
