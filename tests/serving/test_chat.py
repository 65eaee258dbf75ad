"""The OpenAI chat protocol, with the real `openai` client."""

import openai
import pytest

from segments.errors import LLMUnavailableError

NAME = "segment-assistant"
FIND, REFINE, SHOW = "define_segment", "refine_segment", "show_segment"


@pytest.fixture(scope="module")
def chat(server):
    with openai.OpenAI(base_url=f"{server}/v1", api_key="none", max_retries=0) as client:
        yield client


def ask(chat, messages, **more):
    return chat.chat.completions.create(model=NAME, messages=messages, **more)


def user(text) -> dict:
    return {"role": "user", "content": text}


def said(completion) -> dict:
    return {"role": "assistant", "content": completion.choices[0].message.content}


def size(completion) -> int:
    return completion.segassist["segment"]["size"]


def test_the_assistant_is_the_one_model(chat):
    assert [model.id for model in chat.models.list()] == [NAME]
    assert chat.models.retrieve(NAME).id == NAME
    with pytest.raises(openai.NotFoundError, match="there is only 'segment-assistant'"):
        chat.models.retrieve("gpt-5")


def test_a_question_is_answered(chat, model):
    model.replies.append(FIND)
    completion = ask(chat, [user("who bought beer?")], temperature=0.2)
    assert completion.model == NAME
    assert completion.choices[0].finish_reason == "stop"
    assert "**1,298 customers**" in completion.choices[0].message.content
    assert size(completion) == 1298
    assert completion.segassist["evidence"][0]["id"] == "e1"


def test_an_answer_is_streamed_and_is_the_same(chat, model):
    model.replies += [FIND, FIND]
    whole = ask(chat, [user("who bought beer?")])
    chunks = list(ask(chat, [user("who bought beer?")], stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert text == said(whole)["content"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "stop"]
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_history_finds_the_conversation(chat, model):
    model.replies += [FIND, REFINE]
    messages = [{"role": "system", "content": "Be brief."}, user("who bought beer?")]
    first = ask(chat, messages)
    second = ask(chat, [*messages, said(first), user("only those with children")])
    assert len(second.segassist["segment"]["definition"]["all_of"]) == 2
    assert 0 < size(second) < size(first)


def test_an_answer_asked_for_again_starts_from_the_same_place(chat, model):
    """A chat client's 'regenerate' and 'edit' buttons: what was said after that place has not happened."""
    model.replies += [FIND, REFINE, REFINE, SHOW]
    begun = [user("who bought beer?")]
    begun.append(said(ask(chat, begun)))
    once = ask(chat, [*begun, user("only those with children")])
    again = ask(chat, [*begun, user("only those with children")])
    assert once.segassist["segment"] == again.segassist["segment"]
    edited = ask(chat, [*begun, user("show me the definition")])
    assert size(edited) == 1298


def test_a_client_may_name_its_conversation(chat, model):
    model.replies += [FIND, REFINE]
    metadata = {"conversation": "spring-plan"}
    ask(chat, [user("who bought beer?")], metadata=metadata)
    second = ask(chat, [user("only those with children")], metadata=metadata)
    assert second.segassist["conversation"] == "spring-plan"
    assert len(second.segassist["segment"]["definition"]["all_of"]) == 2


def test_a_history_that_is_not_known_is_said_to_be_so(chat, model):
    model.replies.append(FIND)
    strange = [user("who?"), {"role": "assistant", "content": "Never said here."}, user("who bought beer?")]
    completion = ask(chat, strange)
    assert completion.choices[0].message.content.startswith(
        "(The earlier messages of this chat are not known"
    )
    model.replies.append(REFINE)
    following = [*strange, said(completion), user("only those with children")]
    assert "not known" not in said(ask(chat, following))["content"]


def test_text_comes_in_parts_too(chat, model):
    model.replies.append(FIND)
    parts = [{"type": "text", "text": "who bought"}, {"type": "text", "text": "beer?"}]
    assert size(ask(chat, [{"role": "user", "content": parts}])) == 1298


@pytest.mark.parametrize(
    ("more", "error", "detail"),
    [
        ({"model": "gpt-5"}, openai.NotFoundError, "there is only 'segment-assistant'"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, openai.BadRequestError, "must be the user's"),
        ({"messages": [user("  ")]}, openai.BadRequestError, "with text"),
        ({"messages": [user("x" * 2001)]}, openai.BadRequestError, "at most 2,000"),
        ({"messages": []}, openai.UnprocessableEntityError, "messages"),
        ({"n": 2}, openai.UnprocessableEntityError, "n:"),
        ({"response_format": {"type": "json_object"}}, openai.UnprocessableEntityError, "response_format"),
    ],
)
def test_what_cannot_be_done_is_a_problem(chat, model, more, error, detail):
    with pytest.raises(error) as caught:
        chat.chat.completions.create(**({"model": NAME, "messages": [user("who?")]} | more))
    assert detail in str(caught.value)
    assert not model.asked


def test_a_language_model_that_is_down_is_told(chat, model):
    down = LLMUnavailableError("The language model cannot be reached; start it.")
    model.replies += [down, down]
    with pytest.raises(openai.InternalServerError, match="cannot be reached"):
        ask(chat, [user("who bought beer?")])
    with pytest.raises(openai.APIError, match="cannot be reached"):
        list(ask(chat, [user("who bought beer?")], stream=True))


def test_a_key_is_needed_and_its_role_counts(guarded, model):
    def client(key):
        return openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=key, max_retries=0)

    with pytest.raises(openai.AuthenticationError):
        ask(client("sga_x_y"), [user("who bought beer?")])
    with pytest.raises(openai.PermissionDeniedError):
        ask(client(guarded.keys["viewer"]), [user("who bought beer?")])
    model.replies.append(FIND)
    assert size(ask(client(guarded.keys["marketer"]), [user("who bought beer?")])) == 1298


def test_one_user_does_not_find_anothers_conversation(guarded, model):
    model.replies += [FIND, FIND]
    mine, theirs = (
        openai.OpenAI(base_url=f"{guarded.url}/v1", api_key=guarded.keys[role], max_retries=0)
        for role in ("marketer", "analyst")
    )
    messages = [user("who bought beer in the last 30 days?")]
    messages += [said(ask(mine, messages)), user("who bought beer?")]
    assert "not known" in said(ask(theirs, messages))["content"]
