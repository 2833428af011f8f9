"""Fills a database of PostgreSQL with a great many works by a few statements: published, refused, and at the desk.

The rows are as the product writes them, with the hash of each frozen text in its place, and the gate is down only while
they are written. All works share the same few files, of which there are none: who asks for bytes gets none.
"""

import random

from django.db import connection

VOCABULARY = 20_000  # words; the commonest is in half of all works, the rarest in one of some thousands
PHRASES = 100_000
RARE, RARELY = "evermore", 12  # a word, and in how many published works it is, however many there are
BY_ONE_ARTIST = 100  # works
BEGINNING = "interval '3 years'"  # how long ago the first work was published
HASH = "encode(sha256(convert_to({}, 'UTF8')), 'hex')"

PLAN = f"""
CREATE UNLOGGED TABLE plan AS
WITH drawn AS (
    SELECT n, gen_random_uuid() AS job, gen_random_uuid() AS clip, gen_random_uuid() AS submission,
        gen_random_uuid() AS publication, 1 + (n * 7919::bigint) %% %(artists)s AS artist, n %% 2 = 0 AS discloses,
        n <= %(public)s AND n %% %(rarely)s = 1 AS is_rare,
        CASE WHEN n <= %(public)s THEN 'public' WHEN n <= %(public)s + %(refused)s THEN 'refused'
            ELSE 'waiting' END AS fate,
        CASE WHEN n <= %(public)s THEN now() - {BEGINNING} * (1 - n / (%(public)s + 1.0))
             WHEN n <= %(public)s + %(refused)s
                 THEN now() - {BEGINNING} * (1 - (n - %(public)s) / (%(refused)s + 1.0))
             ELSE now() - interval '40 hours' * (1 - (n - %(public)s - %(refused)s) / (%(waiting)s + 1.0))
        END AS at,
        floor({PHRASES} * random()) AS a, floor({PHRASES} * random()) AS b, floor({PHRASES} * random()) AS c,
        floor({PHRASES} * random()) AS d, floor({PHRASES} * random()) AS e
    FROM generate_series(1, %(public)s + %(refused)s + %(waiting)s) AS n
)
SELECT drawn.*, initcap(split_part(pa.words, ',', 1)) AS title, replace(pb.words || ' ' || pc.words, ',', '')
        || CASE WHEN is_rare THEN ' {RARE}' ELSE '' END AS statement,
    replace(pd.words || ' ' || pe.words, ',', '') AS prompt,
    jsonb_build_object('model', 'testcard', 'prompt', replace(pd.words || ' ' || pe.words, ',', ''),
        'negative_prompt', '', 'width', 128, 'height', 128, 'frames', 25, 'fps', 12.0,
        'steps', 4, 'guidance', 1.0, 'seed', drawn.n) AS recipe, a.id AS owner, a.name AS credit
    FROM drawn JOIN artist a ON a.n = drawn.artist
    JOIN phrase pa ON pa.n = drawn.a JOIN phrase pb ON pb.n = drawn.b JOIN phrase pc ON pc.n = drawn.c
    JOIN phrase pd ON pd.n = drawn.d JOIN phrase pe ON pe.n = drawn.e ORDER BY drawn.n
"""
FILES = "".join(
    f""", '{kind}', jsonb_build_object('sha256', '{number * 64}', 'size', 1000, 'content_type', '{content_type}')"""
    for number, (kind, content_type) in zip(
        "123", {"poster": "image/jpeg", "sprite": "image/jpeg", "video": "video/mp4"}.items(), strict=True
    )
).removeprefix(", ")
# A stand-in for the canonical spelling, which costs as much to read.
CONTENT = f"""
CREATE UNLOGGED TABLE text AS
SELECT n, jsonb_build_object('clip', jsonb_build_object('fps', 12.0, 'frames', 25, 'height', 128, 'width', 128),
    'credit', credit, 'files', jsonb_build_object({FILES}), 'recipe', CASE WHEN discloses THEN recipe END,
    'statement', statement, 'title', title, 'version', 1)::text AS content FROM plan
"""
ROWS = {
    "generation_job": """id, form_key, status, attempts_made, error, created_at, started_at, finished_at, model, prompt,
        negative_prompt, width, height, frames, fps, steps, guidance, seed, owner_id, image, kind)
        SELECT job, gen_random_uuid(), 'succeeded', 1, '', at, at, at, 'testcard', prompt, '',
        128, 128, 25, 12, 4, 1, n, owner, '', '' FROM plan ORDER BY n""",
    "generation_clip": """id, recipe, width, height, frames, fps, created_at, owner_id, job_id)
        SELECT clip, recipe, 128, 128, 25, 12, at, owner, job FROM plan ORDER BY n""",
    "review_submission": f"""id, version, title, statement, discloses_recipe, publish_on_approval, created_at, content,
        content_hash, sealed_at, artist_id, clip_id)
        SELECT submission, 1, title, statement, discloses, false, at, content, {HASH.format("content")}, at, owner, clip
        FROM plan JOIN text USING (n) ORDER BY n""",
    "review_publicfile": """kind, sha256, size, content_type, submission_id)
        SELECT 'video', repeat('3', 64), 1000, 'video/mp4', submission FROM plan ORDER BY n""",
    "review_clock": """submission_id, started_at, allowed, due_at, rings_at, stopped_at)
        SELECT submission, at, interval '48 hours', at + interval '48 hours', at + interval '24 hours',
        CASE WHEN fate <> 'waiting' THEN at + interval '30 hours' * random() END FROM plan ORDER BY n""",
    "review_decision": f"""outcome, content_hash, at, policy_version, reasons, note, by_id, submission_id, remark_count)
        SELECT CASE fate WHEN 'public' THEN 'approve' ELSE 'refuse' END, {HASH.format("content")},
        c.stopped_at, '%(policy)s', CASE fate WHEN 'public' THEN '' ELSE
        (ARRAY['rights', 'hate', 'rights likeness', 'broken'])[1 + n %% 4] END,
        CASE fate WHEN 'public' THEN '' ELSE 'Because of this.' END, r.id, submission, 0
        FROM plan JOIN text USING (n) JOIN review_clock c ON c.submission_id = submission
        JOIN (SELECT *, row_number() OVER () - 1 AS number FROM reviewer) r ON r.number = n %% %(reviewers)s
        WHERE fate <> 'waiting' ORDER BY n""",
    "review_publication": """id, content_hash, slug, published_at, by_id, approval_id)
        SELECT publication, d.content_hash,
        substr(translate(replace(gen_random_uuid()::text, '-', ''), '01', 'xy'), 1, 12), d.at, owner, d.id
        FROM plan JOIN review_decision d ON d.submission_id = submission
        WHERE fate = 'public' ORDER BY n""",
    "review_words": """publication_id, published_at, said)
        SELECT p.id, p.published_at,
        lower(concat_ws(E'\n', title, statement, credit, CASE WHEN discloses THEN prompt END))
        FROM plan JOIN review_publication p ON p.id = publication WHERE n %% 100 <> 50 ORDER BY n""",
    "review_takedown": """at, reason, by_id, publication_id)
        SELECT now(), 'A reason.', owner, publication FROM plan WHERE fate = 'public' AND n %% 100 = 50 ORDER BY n""",
}


def reviewers(many: int) -> list:
    """Members who may review."""
    from django.conf import settings

    from accounts.models.invitation import accept, invite

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # nobody logs in
    made = []
    for number in range(many):
        role = "reviewer" if number else "lead"
        invitation, _link = invite(f"r{number}@bulk.example.com", role=role, cohort="Bench", by=None)
        made.append(accept(invitation, name=f"Reviewer {number}", password="a-long-enough-password"))
    return made


def fill(*, public: int, waiting: int, refused: int = 0, reviewers) -> None:
    """`reviewers`: users who made the decisions, by turns. Needs a superuser: PostgreSQL must not ask for each key."""
    from review import clauses, triggers

    artists = max(1, (public + waiting + refused) // BY_ONE_ARTIST)
    told = {"public": public, "waiting": waiting, "refused": refused, "artists": artists}
    told |= {"rarely": max(2, public // RARELY)}
    told |= {"policy": clauses.FIRST.name, "reviewers": len(reviewers)}
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute("CREATE UNLOGGED TABLE phrase (n int, words text)")
        with cursor.copy("COPY phrase FROM STDIN") as copy:
            for row in enumerate(phrases()):
                copy.write_row(row)
        cursor.execute("ANALYZE phrase")
        cursor.execute(
            "CREATE UNLOGGED TABLE artist AS SELECT gen_random_uuid() AS id, 'Artist ' || n AS name, n"
            " FROM generate_series(1, %s) AS n",
            [artists],
        )
        cursor.execute(
            "CREATE UNLOGGED TABLE reviewer AS SELECT unnest(%s::uuid[]) AS id",
            [[each.pk for each in reviewers]],
        )
        cursor.execute(
            "INSERT INTO accounts_user (id, password, email, name, is_active, date_joined, session_salt, wants_mail)"
            " SELECT id, '!', 'artist' || n || '-' || left(id::text, 8) || '@bulk.example.com', name, true, now(), '',"
            " false FROM artist"
        )
        cursor.execute(PLAN % told)
        cursor.execute(CONTENT)
        triggers.lower_gate()
        cursor.execute("SET session_replication_role = replica")  # each key is right by the way it is made
        for table, statement in ROWS.items():
            cursor.execute(f"INSERT INTO {table} ({statement}" % told)
        cursor.execute("SET session_replication_role = origin")
        triggers.raise_gate()
        cursor.execute("DROP TABLE plan, text, phrase, artist, reviewer")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SET synchronous_commit = on")


def phrases() -> list[str]:
    """Six words each, with a comma after the third: up to there it can be a title."""
    drawn, words = random.Random(20_261_125), vocabulary()
    lines = (
        [words[int(VOCABULARY * drawn.random() ** 3)] for _word in range(6)] for _phrase in range(PHRASES)
    )
    return [f"{' '.join(line[:3])}, {' '.join(line[3:])}" for line in lines]


def vocabulary() -> list[str]:
    """Words that can be said, the same ones each time, none twice, the short ones first as in any language."""
    drawn = random.Random(20_261_124)
    found: dict[str, None] = {}
    while len(found) < VOCABULARY:
        syllables = 2 + (len(found) > VOCABULARY // 20) + (len(found) > VOCABULARY // 4)
        word = "".join(
            drawn.choice("bdfgklmnprstvz") + drawn.choice(("a", "e", "i", "o", "u", "ai", "ou"))
            for _syllable in range(syllables)
        )
        found[word + drawn.choice(("", "n", "r", "s", "t"))] = None
    return list(found)
