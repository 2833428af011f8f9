"""The small changes that a mutant is made by: cosmic-ray's, and seven of our own for what a gate is made of.

A gate consists of calls: checks, filters, locks, records. So a call is left out, an argument is dropped, a limit is
moved by one, a lock or a transaction isn't taken, and a stored word is another one. What is said to people is left
alone.
"""

from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator
from parso.python.tree import Name

LOOKUPS = {"lt": "lte", "lte": "lt", "gt": "gte", "gte": "gt"}
CORE = (
    "AddNot",
    "NumberReplacer",
    "RemoveDecorator",
    "ReplaceAndWithOr",
    "ReplaceBinaryOperator_Add_Sub",
    "ReplaceComparisonOperator_Eq_NotEq",
    "ReplaceComparisonOperator_GtE_Gt",
    "ReplaceComparisonOperator_Gt_GtE",
    "ReplaceComparisonOperator_IsNot_Is",
    "ReplaceComparisonOperator_Is_IsNot",
    "ReplaceComparisonOperator_LtE_Lt",
    "ReplaceComparisonOperator_Lt_LtE",
    "ReplaceComparisonOperator_NotEq_Eq",
    "ReplaceContinueWithBreak",
    "ReplaceFalseWithTrue",
    "ReplaceOrWithAnd",
    "ReplaceTrueWithFalse",
    "ReplaceUnaryOperator_Delete_Invert",
    "ReplaceUnaryOperator_Delete_Not",
    "ZeroIterationForLoop",
)


class Own(Operator):
    """An operator that writes other text where a node stood."""

    def mutation_positions(self, node):
        if self.text_for(node) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node, index):
        return Name(self.text_for(node), node.start_pos, prefix=node.get_first_leaf().prefix)

    def text_for(self, node) -> str | None:
        raise NotImplementedError

    @classmethod
    def examples(cls):
        return ()


class LeaveOut(Own):
    """A call, a raise or a return that isn't there."""

    def text_for(self, node):
        if node.type in ("raise_stmt", "return_stmt") or (
            node.type in ("atom_expr", "power") and node.parent.type == "simple_stmt"
        ):
            return "pass"


class DropArgument(Own):
    """A filter that filters less, a record that says less."""

    def text_for(self, node):
        parent = node.parent
        if node.type == "operator" or parent is None or _is_sentence(node):
            return None
        in_call = parent.type == "arglist" or (parent.type == "trailer" and parent.children[0] == "(")
        if not in_call or (parent.type == "trailer" and node is not parent.children[1]):
            return None
        if node.type == "arglist" or (node.type == "argument" and node.children[0] in ("*", "**")):
            return None
        if node.type == "argument" and node.children[1] != "=":
            return None  # a generator
        return "**{}" if node.type == "argument" else "*()"


class MoveLimit(Own):
    """A lookup that also takes, or no longer takes, the limit itself."""

    def text_for(self, node):
        if node.type != "name" or node.parent.type != "argument" or node is not node.parent.children[0]:
            return None
        stem, _mark, lookup = node.value.rpartition("__")
        return f"{stem}__{LOOKUPS[lookup]}" if lookup in LOOKUPS else None


class CatchNothing(Own):
    """A handler that waits for an error which never comes."""

    def text_for(self, node):
        clause = node.parent
        if clause is not None and clause.type == "except_clause" and node is clause.children[1]:
            return "NotImplementedError"


class NoLock(Own):
    """A row that is read without its lock: the same query, had from the method's owner."""

    def text_for(self, node):
        before = node.get_previous_sibling() if node.type == "trailer" else None
        return ".__self__.all()" if before is not None and before.get_code() == ".select_for_update" else None


class NoTransaction(Own):
    """Steps that are not undone together."""

    def text_for(self, node):
        is_atomic = node.type == "atom_expr" and node.get_code(include_prefix=False) == "transaction.atomic()"
        return '__import__("contextlib").nullcontext()' if is_atomic else None


class OtherWord(Own):
    """Another word where a word is stored or compared."""

    def text_for(self, node):
        if node.type != "string" or node.parent.type == "simple_stmt" or _is_sentence(node):
            return None
        return "'another word'"


def _is_sentence(node) -> bool:
    """Inside `_("…")`: what it says is for people, and tested by eye."""
    while node is not None:
        if node.type == "trailer" and node.get_previous_sibling() is not None:
            if node.get_previous_sibling().get_code().strip() in ("_", "ngettext"):
                return True
        node = node.parent
    return False


OPERATORS = (
    *(get_operator(f"core/{name}")() for name in CORE),
    LeaveOut(),
    DropArgument(),
    MoveLimit(),
    CatchNothing(),
    NoLock(),
    NoTransaction(),
    OtherWord(),
)
