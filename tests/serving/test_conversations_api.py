"""Conversations over HTTP: one's own are listed, named and deleted; others read what is shared, and only that."""

import pytest

from serving.client import ApiError, Client

BEER, PARENTS, SHOW = "who bought beer?", "only those with children", "show the definition"


@pytest.fixture
def clients(guarded):
    """A client of each role, whose conversations are deleted after the test."""
    opened = {role: Client(guarded.url, key) for role, key in guarded.keys.items()}
    yield opened
    for role in ("marketer", "analyst", "admin"):
        for kept in opened[role].conversations():
            opened[role].delete_conversation(kept.id)
    for client in opened.values():
        client.close()


@pytest.fixture
def ask(clients, model):
    def one(role, question, conversation=None, reply="define_segment"):
        model.replies.append(reply)
        return clients[role].ask(question, conversation).conversation

    return one


def test_ones_own_conversations_are_listed_by_their_first_question(clients, ask):
    before = len(clients["marketer"].conversations())
    first = ask("marketer", BEER)
    second = ask("marketer", "who bought yogurt?")
    ask("marketer", PARENTS, first, "refine_segment")
    ask("analyst", "who bought soup?")
    found = clients["marketer"].conversations()
    assert len(found) == before + 2
    assert [(kept.id, kept.title, kept.turns, kept.shared) for kept in found[:2]] == [
        (first, BEER, 2, False),
        (second, "who bought yogurt?", 1, False),
    ]
    assert found[0].changed_at > found[1].changed_at
    page = clients["marketer"]._send("GET", "/v1/conversations", params={"offset": 1, "limit": 1})
    assert [one["id"] for one in page.json()] == [second]
    assert page.headers["X-Total-Count"] == str(before + 2)


def test_a_conversation_is_named_and_deleted_by_its_own_user_only(clients, ask, guarded):
    mine = ask("marketer", BEER)
    clients["marketer"].rename_conversation(mine, "  夏天的啤酒 ")
    ask("marketer", PARENTS, mine, "refine_segment")
    assert clients["marketer"].conversations()[0].title == "夏天的啤酒", (
        "the next question does not change it"
    )
    for other in ("analyst", "admin"):
        with pytest.raises(ApiError, match="There is no conversation") as refused:
            clients[other].delete_conversation(mine)
        assert refused.value.status == 404
        with pytest.raises(ApiError, match="There is no conversation"):
            clients[other].rename_conversation(mine, "theirs")
    with pytest.raises(ApiError, match="printable"):
        clients["marketer"].rename_conversation(mine, "\u0007")
    clients["marketer"].bundle(mine)
    clients["marketer"].delete_conversation(mine)
    assert mine not in {kept.id for kept in clients["marketer"].conversations()}
    for gone in (
        clients["marketer"].conversation,
        clients["marketer"].bundle,
        clients["marketer"].delete_conversation,
    ):
        with pytest.raises(ApiError, match="There is no conversation"):
            gone(mine)
    entries = guarded.service.audit.entries(20)
    done = [
        (entry.action, entry.detail.get("conversation")) for entry in entries if entry.who == "marketer@shop"
    ]
    assert ("delete", mine) in done
    assert ("rename", mine) in done


def test_what_is_shared_is_read_as_it_was_then_and_not_written(clients, ask, guarded):
    mine = ask("marketer", BEER)
    token = clients["marketer"].share_conversation(mine)
    ask("marketer", PARENTS, mine, "refine_segment")
    assert clients["marketer"].conversations()[0].shared
    found = clients["analyst"].shared(token)
    assert (found.title, found.owner, [turn.question for turn in found.turns]) == (
        BEER,
        "marketer@shop",
        [BEER],
    )
    assert "1,298" in found.turns[0].answer
    with pytest.raises(ApiError) as refused:
        clients["viewer"].shared(token)
    assert refused.value.status == 403, "who may not ask may not read what was asked"
    with pytest.raises(ApiError):
        clients["analyst"].conversation(mine)
    read = [entry for entry in guarded.service.audit.entries(20) if entry.action == "read shared"]
    assert [(entry.who, entry.detail["conversation"]) for entry in read] == [
        ("analyst@shop", f"marketer@shop:{mine}")
    ]
    assert token.partition(".")[2] not in str([vars(entry) for entry in guarded.service.audit.entries(50)])


def test_a_long_conversation_is_read_page_by_page(clients, guarded):
    """A conversation's state holds the last 50 turns; the ones before them are found in the states before it."""
    mine, asker = None, clients["marketer"]
    for number in range(53):
        if number == 51:
            token = asker.share_conversation(mine)
        mine = asker.ask("thank you", mine).conversation
    last = asker._send("GET", f"/v1/conversations/{mine}")
    assert last.headers["X-Total-Count"] == "53"
    assert [turn["number"] for turn in last.json()["turns"]] == list(range(4, 54))
    for offset, limit, numbers in ((50, 50, [1, 2, 3]), (1, 2, [51, 52]), (48, 4, [2, 3, 4, 5]), (53, 5, [])):
        page = asker._send("GET", f"/v1/conversations/{mine}", params={"offset": offset, "limit": limit})
        assert [turn["number"] for turn in page.json()["turns"]] == numbers
    assert [turn.number for turn in asker.turns(mine)] == list(range(53, 0, -1))
    assert [turn.number for turn in clients["analyst"].shared(token).turns] == list(range(2, 52))
    assert [turn.number for turn in clients["analyst"].shared(token, 50).turns] == [1]
    refused = guarded.client("marketer").get(f"/v1/conversations/{mine}?limit=0")
    assert (refused.status_code, "limit" in refused.json()["detail"]) == (422, True)


def test_a_link_ends_with_another_link_with_its_sharing_and_with_the_conversation(clients, ask, guarded):
    def is_read(token):
        with guarded.client("admin") as admin:
            found = admin.post("/v1/shared", json={"token": token})
        assert found.status_code == 200 or (found.status_code, "no longer shared" in found.text) == (
            404,
            True,
        )
        return found.status_code == 200

    mine = ask("marketer", BEER)
    first = clients["marketer"].share_conversation(mine)
    second = clients["marketer"].share_conversation(mine)
    assert (is_read(first), is_read(second)) == (False, True)
    clients["marketer"].unshare_conversation(mine)
    assert not is_read(second)
    third = clients["marketer"].share_conversation(mine)
    clients["marketer"].delete_conversation(mine)
    assert not is_read(third)
    for never in ("x", "eA.y", "bm9uZQ.AAAA", "-.-", "gIA.x"):
        assert not is_read(never)


def test_a_link_of_exact_counts_is_not_for_those_whose_counts_carry_noise(clients, ask, guarded, monkeypatch):
    mine = ask("analyst", BEER)
    theirs = ask("marketer", BEER)
    monkeypatch.setattr(guarded.service.rooms, "noise", object())
    exact, noised = (
        clients["analyst"].share_conversation(mine),
        clients["marketer"].share_conversation(theirs),
    )
    assert clients["admin"].shared(exact).turns
    with pytest.raises(ApiError) as refused:
        clients["marketer"].shared(exact)
    assert refused.value.status == 403
    assert clients["marketer"].shared(noised).turns


def test_what_the_chat_protocol_copies_is_not_listed(clients, guarded, model):
    before = {kept.id for kept in clients["marketer"].conversations()}
    said = [{"role": "user", "content": BEER}]
    with guarded.client("marketer") as chat:
        model.replies.append("define_segment")
        answered = chat.post(
            "/v1/chat/completions", json={"model": "segment-assistant", "messages": said}
        ).json()
        text = answered["choices"][0]["message"]["content"]
        said += [{"role": "assistant", "content": text}, {"role": "user", "content": PARENTS}]
        model.replies.append("refine_segment")
        chat.post(
            "/v1/chat/completions", json={"model": "segment-assistant", "messages": said}
        ).raise_for_status()
    assert {kept.id for kept in clients["marketer"].conversations()} == before
