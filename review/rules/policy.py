"""Versions of the policy, whole before they hold, and the decisions that cite them."""

from ..clauses import FIRST
from .rule import Record, Rule

RECORDS = {
    "review_policyclause": Record(identity=("id", "version_id,code", "version_id,place")),
    "review_policyversion": Record(identity=("number", "name")),
}

# The first version of the policy has no rows: its name and its codes are written into the rules. They never change.
_CODES = (
    "SELECT c.code FROM review_policyclause c JOIN review_policyversion v ON v.number = c.version_id"
    " WHERE v.name = NEW.policy_version"
) + "".join(
    f" UNION ALL SELECT '{clause.code}' WHERE NEW.policy_version = '{FIRST.name}'" for clause in FIRST.clauses
)

# All that a row cites is accounted for by codes of its version, each with the space behind it.
CITES_OTHERS = (
    "NEW.reasons <> '' AND length(NEW.reasons) + 1 <> (SELECT COALESCE(SUM(length(k.code) + 1), 0)"
    f" FROM ({_CODES}) k"
    " WHERE replace(' ' || NEW.reasons || ' ', ' ' || k.code || ' ', '') <> ' ' || NEW.reasons || ' ')"
)

RULES = (
    Rule(
        "review_decision",
        "policy",
        "INSERT",
        "NEW.policy_version <> COALESCE((SELECT v.name FROM review_policyversion v ORDER BY v.number DESC LIMIT 1),"
        f" '{FIRST.name}')",
        "a decision is made by the version of the policy that holds",
        reads="review_policyversion",
    ),
    Rule(
        "review_decision",
        "cites",
        "INSERT",
        CITES_OTHERS,
        "a decision cites clauses that its version of the policy has",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyversion",
        "follows",
        "INSERT",
        "NEW.number <> (SELECT COALESCE(MAX(v.number), 1) + 1 FROM review_policyversion v)"
        f" OR NEW.name = '{FIRST.name}' OR trim(NEW.name) = '' OR trim(NEW.summary) = ''"
        " OR NOT EXISTS (SELECT 1 FROM review_policyclause c WHERE c.version_id = NEW.number)",
        "a version of the policy follows the last one, under a name of its own, and has clauses",
        reads="review_policyclause",
    ),
    Rule(
        "review_policyclause",
        "whole",
        "INSERT",
        "EXISTS (SELECT 1 FROM review_policyversion v WHERE v.number >= NEW.version_id) OR NEW.version_id < 2"
        " OR NEW.code = '' OR NEW.code LIKE '% %' OR trim(NEW.title) = '' OR trim(NEW.text) = ''",
        "a version of the policy is whole before it holds, and each clause has a code, a title and a text",
        reads="review_policyversion",
    ),
)
