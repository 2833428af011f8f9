"""Rules about words, whom they stopped, what was objected and what was answered: kept, one version after the other."""

from .rule import Record, Rule

RECORDS = {
    "generation_ruleanswer": Record(erasable=("text",), identity=("id", "objection_id")),
    "generation_ruleblock": Record(),
    "generation_ruleend": Record(identity=("id", "rule_id")),
    "generation_ruleobjection": Record(
        erasable=("words", "text"), identity=("id", "owner_id,rule_id,digest")
    ),
    "generation_wordrule": Record(identity=("id", "family,version")),
}

RULES = (
    Rule(
        "generation_wordrule",
        "follows",
        "INSERT",
        "NEW.version <> 1 + (SELECT count(*) FROM generation_wordrule r WHERE r.family = NEW.family)"
        " OR EXISTS (SELECT 1 FROM generation_wordrule r JOIN generation_ruleend e ON e.rule_id = r.id"
        " WHERE r.family = NEW.family)",
        "a version of a rule follows the last one, and none follows its end",
        reads="generation_ruleend",
    ),
    Rule(
        "generation_wordrule",
        "says",
        "INSERT",
        "trim(NEW.name) = '' OR trim(NEW.phrases) = '' OR trim(NEW.looks_in) = ''"
        " OR (NEW.does = 'block' AND trim(NEW.sentence) = '')",
        "a rule says what it looks for and where, and what an artist reads whom it stops",
    ),
    Rule(
        "generation_ruleend",
        "fits",
        "INSERT",
        "EXISTS (SELECT 1 FROM generation_wordrule r JOIN generation_wordrule l ON l.family = r.family"
        " WHERE r.id = NEW.rule_id AND l.version > r.version)",
        "the newest version of a rule is the one that ends",
        reads="generation_wordrule",
    ),
    Rule(
        "generation_ruleobjection",
        "fits",
        "INSERT",
        "NOT EXISTS (SELECT 1 FROM generation_wordrule r WHERE r.id = NEW.rule_id AND r.does = 'block')"
        " OR trim(NEW.words) = '' OR trim(NEW.text) = '' OR length(NEW.digest) <> 64",
        "an objection is to a rule that blocks, and says something",
        reads="generation_wordrule",
    ),
    Rule(
        "generation_ruleanswer",
        "fits",
        "INSERT",
        "trim(NEW.text) = '' OR EXISTS (SELECT 1 FROM generation_ruleobjection o"
        " WHERE o.id = NEW.objection_id AND o.owner_id = NEW.by_id)",
        "an objection is answered in words, by somebody else than its artist",
        reads="generation_ruleobjection",
    ),
)
