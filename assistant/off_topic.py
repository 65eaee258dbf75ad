"""Words that ask for what an assistant for customers does not do: the weather, a poem, a flight. They settle a message that
describes nobody and asks for no tool; in any other they are only talk."""

from __future__ import annotations

import re

_OFF_TOPIC = re.compile(
    r"\b(?:weather|jokes?|poems?|limericks?|haikus?|songs?|lyrics|translat(?:e|ion)|recipes?|flights?|hotels?|taxi"
    r"|table for \w+|reminders?|remind me (?:to|at|on|in|tomorrow)|alarm|capital of|president|prime minister|world cup"
    r"|super bowl|olympics|football|movies?|stock (?:price|market)"
    r"|bitcoin|exchange rates?|homework|essay|python|javascript|minimum wage|favou?rite colou?r|how old are you|your name"
    r"|meaning of life|news|horoscope)\b"
    r"|天气|下雨|笑话|[写作背念]一?首|诗歌?|翻译|食谱|菜谱|机票|航班|酒店|餐厅|订位|提醒我|闹钟|首都|总统|总理|世界杯|足球|电影|唱歌?|小说"
    r"|股市|股票|股价|比特币|汇率|作业|作文|代码|新闻|心情|你(?:几岁|多大)|星座运势",
    re.IGNORECASE,
)


def off_topic(message: str) -> bool:
    """Whether a message has words of such a request."""
    return _OFF_TOPIC.search(message) is not None
