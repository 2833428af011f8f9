"""What was seen of a mark is kept in a few bytes, and read again by whoever knows which numbers exist."""

import numpy as np
import pytest

from generation import marks
from generation.marks import traces, weighing

from .test_marks import CROP, HALF, KEY, LARGE, NUMBER, OTHER_KEY, clip, copied, large, marked

MANY = np.append(np.random.default_rng(3).integers(0, marks.NUMBERS, 9_999), NUMBER).astype(np.uint32)


@pytest.mark.parametrize(
    "make, seed, options",
    [
        (clip, 0, ("-crf", "28", "-vf", HALF)),
        (clip, 8, ("-crf", "28", "-vf", HALF)),
        (clip, 0, ("-crf", "34")),
        (clip, 3, ("-crf", "34")),
        (large, 3, ("-crf", "32", "-vf", f"{CROP},{HALF}")),
    ],
)
def test_what_is_kept_of_a_hard_case_tells_as_much_as_the_picture(make, seed, options, tmp_path):
    copy = copied(marked(make(seed)), tmp_path, *options)
    blind = marks.read(copy, KEY, sizes=[LARGE])
    assert blind.number is None
    told = marks.read(copy, KEY, among=MANY, sizes=[LARGE])
    again = marks.reread(blind.trace, KEY, MANY)
    assert (again.number, again.likeliest) == (told.number, told.likeliest) == (NUMBER, NUMBER)
    assert again.confidence == pytest.approx(told.confidence, abs=0.001)
    assert np.log(again.chance) == pytest.approx(np.log(told.chance), abs=0.2)
    assert marks.reread(blind.trace, KEY, MANY[:-1]).number is None
    assert marks.reread(blind.trace, OTHER_KEY, MANY).number is None
    assert marks.reread(blind.trace, KEY, []) == marks.NOTHING


def test_a_number_that_is_sure_leaves_no_trace():
    assert marks.read(marked(clip()), KEY).trace == b""
    assert marks.read(clip(), KEY).trace != b""


def test_a_trace_is_small_whatever_the_picture():
    """Noise as large as a cut-out of originals of both layouts: each step has more ways than are kept."""
    noise = np.random.default_rng(1).integers(0, 256, (2, 240, 240, 3), np.uint8)
    trace = marks.read(noise, KEY, sizes=[(250, 250), (264, 264)]).trace
    shapes = [look.votes.shape for looks in traces.unpacked(trace) for look in looks]
    assert shapes == [(1, 128), (1, 128), *[(traces.LIKELIEST, 128)] * 4]
    assert len(trace) < marks.MOST_BYTES < 25_000


def test_each_vote_is_kept_but_for_its_rounding():
    votes = np.array([[1.0, -1.0, 0.0, np.nan, 0.123, -0.987]])
    steps = [[traces.Look(4_000_000_000, votes)], [], [traces.Look(7, np.empty((0, 6)))]]
    first, second, third = traces.unpacked(traces.packed(steps))
    assert (first[0].tried, second, third[0].tried, third[0].votes.shape) == (4_000_000_000, [], 7, (0, 6))
    np.testing.assert_allclose(first[0].votes, votes, atol=0.5 / traces.FULL)


@pytest.mark.parametrize(
    "spoil", [lambda trace: b"\x02" + trace[1:], lambda _: b"", lambda trace: trace[:-1], lambda t: t[:4]]
)
def test_a_trace_that_is_not_whole_or_of_another_version_is_refused(spoil):
    trace = marks.read(clip(), KEY).trace
    with pytest.raises(ValueError, match="This trace of a mark"):
        marks.reread(spoil(trace), KEY, MANY)


def test_no_number_is_found_where_there_is_none_among_many():
    for seed in range(20, 26):
        reading = marks.reread(marks.read(clip(seed), KEY, sizes=[LARGE]).trace, KEY, MANY)
        assert reading.number is None
        assert reading.chance > marks.FALSE_ALARM


@pytest.mark.parametrize("count", [3, 100])
def test_chance_is_as_rare_as_it_is_said_to_be_however_many_numbers_there_are(count):
    """In looks at a clip without a mark, what is said to happen once in ten times happens no more often."""
    random, trials, ways = np.random.default_rng(11), 200, 3

    def look():
        return traces.Look(ways, np.cos(random.uniform(0, 2 * np.pi, (ways, 128))))

    rare = 0
    for _ in range(trials):
        trace = traces.packed([[look(), look()] for _ in range(traces.STEPS)])
        numbers = random.integers(0, marks.NUMBERS, count)
        rare += marks.reread(trace, KEY, numbers).chance <= 0.1
    assert weighing.LOOKS == 6
    assert 5 <= rare <= 35
