"""What a message in the middle of a conversation means: a forecast of them, somebody new, or an edit of them."""

import pytest

from assistant.linking.linker import Linker
from assistant.rooms import Rooms, make_linker
from segments.codec import from_json
from segments.definition import EventCondition, FeatureCondition, Not
from tests.assistant.conftest import BIG_SPENDERS


@pytest.fixture(scope="module")
def linker(opened: Rooms) -> Linker:
    return make_linker(opened, dense=False)


@pytest.mark.parametrize(
    "message",
    ["给他们打分，看看30天内会不会购买", "他们30天内会不会购买", "score them: will they buy within 30 days?"],
)
def test_what_they_will_do_is_no_condition(linker, message):
    link = linker.link(message, from_json(BIG_SPENDERS))
    assert link.intents.tools == ("score_propensity",)
    assert link.reading is None
    assert not link.edits


@pytest.mark.parametrize(
    "message",
    [
        "of all customers, who has not bought for 90 days?",
        "customers who have not bought for 90 days, among everyone",
        "在所有客户中，最近90天没买的",
    ],
)
def test_of_everyone_begins_anew(linker, message):
    link = linker.link(message, from_json(BIG_SPENDERS))
    assert isinstance(link.reading, Not)
    assert not link.edits


def test_the_highest_of_all_customers_may_still_be_an_edit(linker):
    assert linker.link("only the top 10% of all customers by spend", from_json(BIG_SPENDERS)).edits


@pytest.mark.parametrize(
    "message",
    [
        "那些舍得花钱的",
        "出手大方的顾客",
        "花钱大手大脚的客户",
        "the generous spenders",
        "customers who splurge",
    ],
)
def test_whoever_spends_freely_spends_much(linker, message):
    reading = linker.link(message).reading
    assert isinstance(reading, FeatureCondition)
    assert reading.feature == "spend_365d"


@pytest.mark.parametrize(("message", "without"), [("收到过邮件的客户", False), ("没收到过邮件的客户", True)])
def test_mail_in_chinese_is_a_campaign(linker, message, without):
    link = linker.link(message)
    assert not link.missing
    reading = link.reading
    assert isinstance(reading, Not) is without
    inside = reading.child if isinstance(reading, Not) else reading
    assert isinstance(inside, EventCondition)
    assert inside.event == "exposure"


@pytest.mark.parametrize(
    "message", ["get people to use their coupons, $1,500", "encourage them to redeem coupons"]
)
def test_to_get_coupons_used_is_a_plan_and_nobody_who_used_one(linker, message):
    link = linker.link(message, from_json(BIG_SPENDERS))
    assert link.intents.tools == ("plan_strategy",)
    assert link.intents.goal == "activate_coupon"
    assert link.reading is None
