"""The real embedded language model through a whole turn and an edit: the path a marketer takes."""

import pytest

from segments.canonical import fingerprint
from segments.codec import from_json
from serving.cli import assistant_for
from serving.llm.weights import QWEN_1_5B, default_cache
from tests.assistant.conftest import BIG_SPENDERS, PARENTS, shown_in, values


@pytest.mark.llm
def test_a_question_and_an_edit_are_answered_right_by_the_real_model(workspace):
    if not (default_cache() / QWEN_1_5B.file).exists():
        pytest.skip("the embedded model is not there: run `make build`")
    with assistant_for(workspace) as assistant:
        asked = assistant.ask("who spent over $500 in the last 90 days?")
        edited = assistant.ask("only those with children", asked.conversation)
    gold = {"all_of": [BIG_SPENDERS, PARENTS]}
    for answer, definition in ((asked, BIG_SPENDERS), (edited, gold)):
        assert answer.segment["hash"] == fingerprint(from_json(definition))
        assert f"**{answer.segment['size']} customers**" in answer.answer
        assert values(answer.answer) <= shown_in(answer.evidence)
        assert set(answer.timings) == {"link", "plan", "check", "run", "answer", "total"}
        assert answer.timings["total"] >= answer.timings["plan"]
    assert edited.timings["link"] > 0.02, (
        "the adapted model reads that it is an edit, which leaves no other plan"
    )
    assert [call["name"] for call in edited.tool_calls] == ["refine_segment"]
    assert 0 < edited.segment["size"] < asked.segment["size"]
    assert not (workspace / "run" / "llm.json").exists(), "the server outlived the command"
