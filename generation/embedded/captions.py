"""Says what a scene shows, in many ways, and keeps some combinations of attributes out of training."""

import hashlib

from .words import ADJECTIVES, COLORS, ENDINGS, FILLERS, MOTIONS, PLACES, THINGS, TIMES

# Good prompts to show beside the form: the model knows every word of them that matters.
EXAMPLES = (
    "a red balloon rising over a green field at sunset",
    "a white boat sails west at sea under the moon",
    "a yellow fish moving right underwater",
    "a green ball bouncing in the snow by day",
    "a blue car moving left on a city street at night",
    "an orange rocket flies up in the desert at dusk",
    "a pink heart falling in the city in the evening",
    "a purple bird moving right over the ocean on a sunny day",
)


def is_held_out(scene):
    """True for about one combination in eight of thing, color, place and motion: training never sees these."""
    key = f"{scene.thing}|{scene.color}|{scene.place}|{scene.motion}"
    return hashlib.sha256(key.encode()).digest()[0] < 32


def caption(scene, rng):
    """One of the many ways to say `scene` (rng: random.Random); a sixth of them leave an attribute unsaid."""
    noun, color = rng.choice(THINGS[scene.thing]), rng.choice(COLORS[scene.color])
    if rng.random() < 0.35:
        noun, color = scene.thing, scene.color
    place, time, motion = (
        rng.choice(names) for names in (PLACES[scene.place], TIMES[scene.time], MOTIONS[scene.motion])
    )
    told = [motion, place, time]
    if rng.random() < 0.16:
        told.pop(rng.randrange(3))
    if rng.random() < 0.4:
        rng.shuffle(told)
    subject = _subject(noun, color, rng)
    if rng.random() < 0.12 and motion in told:
        told.remove(motion)
        subject = f"{motion} {subject}"
    words = (
        " ".join([*_opening(told, rng), subject, *told])
        if rng.random() < 0.75
        else ", ".join([subject, *told])
    )
    if rng.random() < 0.2:
        words = f"{rng.choice(FILLERS)} {words}"
    if rng.random() < 0.25:
        words = f"{words}, {rng.choice(ENDINGS)}"
    return _unknown_word(words, rng) + rng.choice(("", "", "."))


def full_caption(scene, rng):
    """The scene with every attribute said, in the words that `rng` picks: what the evaluation asks for."""
    noun, color = rng.choice(THINGS[scene.thing]), rng.choice(COLORS[scene.color])
    place, time, motion = (
        rng.choice(names) for names in (PLACES[scene.place], TIMES[scene.time], MOTIONS[scene.motion])
    )
    article = "an" if color[0] in "aeiou" else "a"
    return f"{article} {color} {noun} {motion} {place} {time}"


def vocabulary():
    """Every word of the grammar, lower case and sorted: one token each."""
    said = [*FILLERS, *ADJECTIVES, *ENDINGS, "a an the one is and that which , . !"]
    for names in (THINGS, COLORS, PLACES, TIMES, MOTIONS):
        said += [phrase for phrases in names.values() for phrase in phrases]
        said += list(names)
    words = {word for phrase in said for word in phrase.replace(",", " ").split()}
    plurals = {f"{word}s" for phrases in THINGS.values() for phrase in phrases for word in phrase.split()}
    return sorted(words | plurals | set(",.!"))


def _subject(noun, color, rng):
    extra = f"{rng.choice(ADJECTIVES)} " if rng.random() < 0.2 else ""
    words = f"{color} {extra}{noun}" if rng.random() < 0.3 else f"{extra}{color} {noun}"
    if rng.random() < 0.1:
        words = f"{noun} that is {color}"
    article = rng.choice(("a", "a", "the", "one", ""))
    if article == "a" and words[0] in "aeiou":
        article = "an"
    return f"{article} {words}".strip()


def _opening(told, rng):
    """Moves the last thing told to the front, now and then: "at night a red ball ..."."""
    if told and rng.random() < 0.2:
        return [told.pop() + ","]
    return []


def _unknown_word(words, rng):
    """Slips in a word that the model can't know, so that it learns to pass over such words."""
    if rng.random() > 0.15:
        return words
    strange = "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(rng.randint(3, 7)))
    parts = words.split(" ")
    parts.insert(rng.randint(0, len(parts)), strange)
    return " ".join(parts)
