"""What an artist allows, takes back and sets for later: nothing is public or used without it."""

from .rule import Record, Rule

MOST_PLACE = 300  # characters of where something was used

RECORDS = {
    "review_consent": Record(identity=("id", "submission_id,use,number")),
    "review_consenteduse": Record(erasable=("place",)),
    "review_revocation": Record(identity=("id", "consent_id")),
    "review_schedule": Record(identity=("id", "submission_id,number")),
    "review_scheduleend": Record(identity=("id", "schedule_id")),
}

_LIVE_PUBLICATION = (
    "EXISTS (SELECT 1 FROM review_consent c JOIN review_decision d ON d.submission_id = c.submission_id"
    " JOIN review_publication p ON p.approval_id = d.id LEFT JOIN review_takedown t ON t.publication_id = p.id"
    " WHERE c.id = NEW.consent_id AND t.id IS NULL{more})"
)

RULES = (
    Rule(
        "review_publication",
        "consented",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_decision d JOIN review_consent c ON c.submission_id = d.submission_id"
        " LEFT JOIN review_revocation r ON r.consent_id = c.id"
        " WHERE d.id = NEW.approval_id AND c.use = 'gallery' AND r.id IS NULL)",
        "nothing becomes public without the consent of its artist to the gallery",
        reads="review_consent",
    ),
    Rule(
        "review_consent",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id)",
        "only the artist consents to a use of their work",
    ),
    Rule(
        "review_consent",
        "in_turn",
        "INSERT",
        "NEW.number <> 1 + (SELECT count(*) FROM review_consent c"
        " WHERE c.submission_id = NEW.submission_id AND c.use = NEW.use)"
        " OR EXISTS (SELECT 1 FROM review_consent c LEFT JOIN review_revocation r ON r.consent_id = c.id"
        " WHERE c.submission_id = NEW.submission_id AND c.use = NEW.use AND r.id IS NULL)",
        "a consent is given again after it was revoked, and not twice",
        reads="review_revocation",
    ),
    Rule(
        "review_revocation",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_consent c JOIN review_submission s ON s.id = c.submission_id"
        " WHERE c.id = NEW.consent_id AND s.artist_id = NEW.by_id)",
        "only the artist takes their consent back",
    ),
    Rule(  # whoever revokes it takes the work down first, in the same act
        "review_revocation",
        "ends",
        "INSERT",
        _LIVE_PUBLICATION.format(more=" AND c.use = 'gallery'"),
        "a work that is public is taken down before its consent to the gallery is revoked",
    ),
    Rule(
        "review_consenteduse",
        "consented",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_consent c LEFT JOIN review_revocation r ON r.consent_id = c.id"
        " WHERE c.id = NEW.consent_id AND c.use <> 'gallery' AND r.id IS NULL)"
        f" OR NOT {_LIVE_PUBLICATION.format(more='')}",
        "only what is public is used, and only under a consent that holds",
        reads="review_revocation",
    ),
    Rule(
        "review_consenteduse",
        "says",
        "INSERT",
        f"trim(NEW.place) = '' OR length(NEW.place) > {MOST_PLACE}",
        "a use says where",
    ),
    Rule(
        "review_schedule",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_submission s WHERE s.id = NEW.submission_id AND s.artist_id = NEW.by_id)"
        " OR EXISTS (SELECT 1 FROM review_withdrawal w WHERE w.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_decision d LEFT JOIN review_publication p ON p.approval_id = d.id"
        " WHERE d.submission_id = NEW.submission_id AND (d.outcome <> 'approve' OR p.id IS NOT NULL))"
        " OR NEW.publish_at <= NEW.at",
        "only the artist sets a time, ahead of it, and only for what can still go public",
    ),
    Rule(
        "review_schedule",
        "in_turn",
        "INSERT",
        "NEW.number <> 1 + (SELECT count(*) FROM review_schedule s WHERE s.submission_id = NEW.submission_id)"
        " OR EXISTS (SELECT 1 FROM review_schedule s LEFT JOIN review_scheduleend e ON e.schedule_id = s.id"
        " WHERE s.submission_id = NEW.submission_id AND e.id IS NULL)",
        "one time ends before the next is set",
        reads="review_scheduleend",
    ),
    Rule(  # the artist calls it off at any time; the program ends it when its time has come, and never before
        "review_scheduleend",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM review_schedule e JOIN review_submission s ON s.id = e.submission_id"
        " WHERE e.id = NEW.schedule_id AND ((NEW.outcome = 'called-off' AND NEW.by_id = s.artist_id)"
        " OR (NEW.outcome <> 'called-off' AND NEW.by_id IS NULL AND NEW.at >= e.publish_at)))",
        "a set time is called off by its artist, or ends when it has come",
        reads="review_schedule",
    ),
    Rule(
        "review_scheduleend",
        "published",
        "INSERT",
        "NEW.outcome = 'published' AND NOT EXISTS (SELECT 1 FROM review_schedule e"
        " JOIN review_decision d ON d.submission_id = e.submission_id"
        " JOIN review_publication p ON p.approval_id = d.id WHERE e.id = NEW.schedule_id)",
        "a set time ends in a publication only if there is one",
        reads="review_schedule",
    ),
)
