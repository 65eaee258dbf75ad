"""What a marketer can meet is said in English and in Chinese, side by side where it is raised."""

import ast
import copy
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from segments import errors
from segments.errors import (
    CommandError,
    DataError,
    DefinitionError,
    NotFoundError,
    SegAssistError,
    Sentence,
    UserError,
)
from segments.issues import in_language, sentences

ROOT = Path(__file__).parents[1]
ROOMS = ("segments", "warehouse", "propensity", "indexes", "insights", "campaigns", "assistant", "serving")
COMMAND_LINE = {
    "serving/callers.py",
    "serving/campaigns.py",
    "serving/cli.py",
    "serving/options.py",
    "serving/data.py",
    "serving/operate.py",
    "serving/segments.py",
}
"""Only who runs the installation reads these: in English, as the command line is."""
BOTH = ("both", "_too_few")
"""What gives the two wordings as a pair."""
HAN = re.compile("[\u4e00-\u9fff]")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every place that makes one of our errors: file:line and the call."""
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def literal(node: ast.expr) -> str:
    """What a text says before its values are put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return str(node.value) if isinstance(node, ast.Constant) else ""


def names(node: ast.expr) -> set[str]:
    """What is put into a text, by the names in it."""
    put = [part for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
    return {name.id for part in put for name in ast.walk(part) if isinstance(name, ast.Name)}


def in_chinese(call: ast.Call) -> bool:
    """Whether an error is made with Chinese words beside the English ones."""
    if len(call.args) == 1 and isinstance(call.args[0], ast.Starred):
        given = call.args[0].value
        return isinstance(given, ast.Call) and ast.unparse(given.func) in BOTH
    return len(call.args) == 2 and bool(HAN.search(literal(call.args[1])))


def test_what_a_user_meets_has_chinese_words():
    of_users = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, UserError) and kind is not CommandError
    }
    calls = [(where, call) for where, call in raised() if ast.unparse(call.func) in of_users]
    assert len(calls) > 150
    assert [where for where, call in calls if not in_chinese(call)] == []


def test_what_too_little_data_leave_out_has_chinese_words():
    """These are the operator's to mend and the marketer's to read."""
    calls = [
        (where, call)
        for where, call in raised()
        if where.startswith(("insights/", "campaigns/measure", "assistant/tools"))
    ]
    said = [(where, call) for where, call in calls if ast.unparse(call.func) == "DataError"]
    # A mart without a feature and a file of another's hand are not told in a chat.
    silent = [where for where, call in said if not in_chinese(call)]
    assert [where.partition(":")[0] for where in silent] == ["insights/profile.py"]


def test_only_the_command_line_speaks_english_alone():
    found = {where.partition(":")[0] for where, call in raised() if ast.unparse(call.func) == "CommandError"}
    assert found == COMMAND_LINE


def test_both_wordings_hold_the_same_particulars():
    """What the Chinese sentence puts in, the English one does too; `zh` is the Chinese form of a part of it."""
    odd = [
        (where, invented)
        for where, call in raised()
        if len(call.args) == 2 and (invented := names(call.args[1]) - names(call.args[0]) - {"zh", "CHINESE"})
    ]
    assert odd == []


def test_an_error_is_said_in_both_languages():
    error = NotFoundError("Nobody.", "没有人。")
    assert (str(error), in_language(error, "en"), in_language(error, "zh")) == (
        "Nobody.",
        "Nobody.",
        "没有人。",
    )
    with pytest.raises(TypeError):
        NotFoundError("Nobody.")  # type: ignore[call-arg]


def test_mistakes_are_told_together():
    error = DefinitionError.of(Sentence("One.", "一。"), Sentence("Two.", "二。"))
    assert (str(error), in_language(error, "zh")) == ("One. Two.", "一。 二。")
    assert sentences(error.issues, "zh") == ["一。", "二。"]


def test_what_only_an_operator_can_mend_asks_for_one():
    error = DataError("The file is gone.")
    assert in_language(error, "zh") == "请把这句话转告管理员：The file is gone."
    assert in_language(DataError("Too few.", "太少。"), "zh") == "太少。"


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("Nobody.", "没有人。"),
        DefinitionError.of(Sentence("One.", "一。"), Sentence("Two.", "二。")),
    ],
)
def test_an_error_can_be_copied_and_sent(error: SegAssistError):
    for again in (copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert (type(again), str(again), again.zh) == (type(error), str(error), error.zh)
        assert getattr(again, "issues", ()) == getattr(error, "issues", ())
