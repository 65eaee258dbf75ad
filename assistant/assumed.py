"""How a message was read, in words: what it left open, what was not used, and how far the reading may be trusted."""

from __future__ import annotations

from assistant.change_intents import DEFAULT_DAYS, DIFF
from assistant.linking.link import Link
from assistant.one_customer import REVERSED
from assistant.plan import DESCRIBED, Plan
from assistant.ranked_value import asks_ranked_value
from assistant.saying import say
from segments.explain import Language


def assumptions(link: Link, plan: Plan, language: Language) -> list[str]:
    """What the message left open and how it was read, each as a sentence."""
    said = [
        say(language, f"I read '{word}' as '{better}'.", f"我把“{word}”理解为“{better}”。")
        for word, better in link.corrected
    ]
    for text in link.dates:
        said.append(
            say(
                language,
                f"I took {text}.",
                f"我把“{text.replace(' = ', '”理解为 ').replace(' to ', ' 至 ')}。",
            )
        )
    described = plan.segment == DESCRIBED
    readings = {candidate.reading for candidate in link.candidates} if described else set()
    readings |= {link.edit(name).reading for name in plan.edits}
    sentences = {
        "quiet": ("I took 'quiet' as no purchase in the window shown.", "“沉默”按所示时间窗内无购买理解。"),
        "vague": (
            "You gave no threshold, so I chose the one shown; say another and I will change it.",
            "您没有给出阈值，我采用了所示的值；需要可以修改。",
        ),
        "most": ("I took 'mostly' as more than half.", "“主要”按超过一半理解。"),
        "top": (
            "You named no share, so I took the likeliest fifth.",
            "您没有给出比例，因此取可能性最高的五分之一。",
        ),
        "responded": (
            "I took a response as redeeming a coupon of the campaign.",
            "“响应”按使用了该活动的优惠券理解。",
        ),
        "share": (
            "I took so many customers as their share of all customers.",
            "客户数按其占全体客户的比例理解。",
        ),
        "ever": (
            "You gave no time window, so I counted the whole history.",
            "您没有给出时间范围，因此按全部历史计算。",
        ),
    }
    said += [say(language, *sentences[reading]) for reading in sorted(readings) if reading in sentences]
    if plan.tool == "customer_value" and described and asks_ranked_value(link.message):
        said.append(
            say(
                language,
                "They are chosen by what they spent, as the definition says: what is still to come is estimated for a "
                "group, not for one customer beside another.",
                "他们是按过去的消费选出的（见定义）：未来消费只对一群人估计，不逐个客户比较。",
            )
        )
    if REVERSED in link.intents.arguments:
        said.append(
            say(
                language,
                "No model of leaving is declared here, so this is the probability to come: what lowers it speaks for "
                "leaving. A churn outcome can be declared in the settings.",
                "这里没有声明流失模型，因此给出的是购买的概率：使其降低的就是流失的原因。可以在设置中声明流失结果。",
            )
        )
    if plan.tool == DIFF and not link.intents.arguments.get("dated", True):
        said.append(
            say(
                language,
                f"You named no date, so I compared with {DEFAULT_DAYS} days before.",
                f"您没有给出日期，因此与 {DEFAULT_DAYS} 天前比较。",
            )
        )
    left = [*link.unused, *link.unknown] if described or plan.edits else []
    if left:
        words = ", ".join(left[:6])
        said.append(say(language, f"I did not use: {words}.", f"这些内容没有用上：{words}。"))
    if plan.read_twice and link.confidence is not None:
        two = link.confidence == "low" and link.alternative is not None and plan.counts_other
        said.append(say(language, *(_WHICH if two else _CONFIDENCE[link.confidence])))
    return said


_CONFIDENCE = {
    "high": ("Confidence in this reading: high.", "理解把握：高。"),
    "medium": ("Confidence in this reading: medium.", "理解把握：中。"),
    "low": (
        "Confidence in this reading: low; please check the definition.",
        "理解把握：低，请核对上面的定义。",
    ),
}
_WHICH = (
    "Confidence in this reading: low. Which of the two do you mean?",
    "理解把握：低。您指的是哪一种？",
)
