"""Variants of a pair: other goods, times and numbers, in the request and in its sketch alike.

Only what both say once and word for word is changed, so a variant means what its sketch says as surely as the pair did.
From a pair the model can learn the sentence or learn that wine goes with 500; among its variants only the sentence stays
the same. Some goods are those of other kinds of shop than the pairs were written for.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assistant.sketch import ITEMS, OR, WHEN, compact

Pair = Mapping[str, Any]

CHANGED = 0.75
"""Share of the places that are changed, of those that can be."""
ELSEWHERE = 0.3
"""Share of the goods that are put in from other shops."""
LEAST_NUMBER = 10
"""Smaller numbers are often words, or part of other words."""
NUMBER = "number"

OTHER_GOODS = {
    "en": (
        "scarves, running shoes, leggings, raincoats, denim jackets, socks, handbags, sunglasses, earrings, "
        "watches, phone cases, usb cables, headphones, laptops, chargers, cameras, air fryers, kettles, "
        "toasters, vacuum cleaners, tea lights, candles, photo frames, wrapping paper, gift bags, party bunting, "
        "lunch boxes, cake stands, mugs, teapots, cushions, doormats, curtains, bed linen, towels, lamps, "
        "plant pots, seeds, barbecues, power drills, paint, board games, puzzles, dolls, building blocks, prams, "
        "school bags, notebooks, printer ink, novels, cookbooks, guitars, yoga mats, dumbbells, bikes, helmets, "
        "tents, sleeping bags, fishing rods, football boots, lipstick, perfume, moisturiser, sunscreen, "
        "vitamins, protein powder, storage tins, craft kits, fairy lights, wall art, oat milk, kombucha, hummus, "
        "sushi, tofu, quinoa"
    ),
    "zh": (
        "围巾, 跑鞋, 打底裤, 雨衣, 牛仔外套, 袜子, 手提包, 墨镜, 首饰, 耳环, 手表, 手机壳, 数据线, 耳机, "
        "笔记本电脑, 充电器, 相机, 空气炸锅, 水壶, 吸尘器, 蜡烛, 相框, 包装纸, 礼品袋, 饭盒, 蛋糕架, 马克杯, "
        "茶壶, 抱枕, 地垫, 窗帘, 床上用品, 毛巾, 台灯, 花盆, 种子, 烧烤架, 电钻, 油漆, 桌游, 拼图, 玩偶, 积木, "
        "婴儿车, 书包, 墨盒, 小说, 瑜伽垫, 哑铃, 自行车, 头盔, 帐篷, 睡袋, 口红, 香水, 面霜, 防晒霜, 维生素, "
        "蛋白粉, 收纳罐, 手工套装, 彩灯, 挂画, 燕麦奶, 橄榄油, 寿司, 泡菜, 豆腐"
    ),
}


class Words:
    """The goods and times that pairs speak of, to put in the place of others."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        goods, times = defaultdict[str, set[str]](set), defaultdict[tuple[str, str], set[str]](set)
        for pair in pairs:
            for kind, value in _places(json.loads(pair["sketch"])):
                word, language = str(value), str(pair["language"])
                if kind == ITEMS and OR not in word and word in pair["request"]:
                    goods[language].add(word)
                if kind == WHEN and word in pair["request"]:
                    times[language, _shape(word, language)].add(word)
        self.goods = {language: sorted(words) for language, words in goods.items()}
        self.times = {shape: sorted(words) for shape, words in times.items()}

    def another(self, kind: str, value: Any, language: str, draw: random.Random) -> Any:
        """Something to say instead of the value."""
        if kind == NUMBER:
            return _another_number(int(value), draw)
        if kind == WHEN:
            return draw.choice(self.times.get((language, _shape(value, language)), [value]))
        pool = OTHER_GOODS[language].split(", ") if draw.random() < ELSEWHERE else self.goods[language]
        return draw.choice(pool)


def variants(pair: Pair, words: Words, count: int, draw: random.Random) -> list[dict[str, Any]]:
    """Up to `count` variants of the pair; none where nothing in it can be changed."""
    out, requests = [], {pair["request"]}
    for _ in range(count):
        changed = _variant(pair, words, draw)
        if changed["request"] not in requests and _in_order(changed["sketch"]):
            requests.add(changed["request"])
            out.append(changed)
    return out


def _variant(pair: Pair, words: Words, draw: random.Random) -> dict[str, Any]:
    request, sketch, language = pair["request"], json.loads(pair["sketch"]), pair["language"]
    places = list(_places(sketch))
    said = [str(value).lower() for _, value in places]
    windows = _windows(sketch)
    times_told = all(_once(request, value) for value in windows)
    for kind, value in places:
        word = str(value).lower()
        alone = said.count(word) == 1 and not any(word in other != word for other in said)
        if OR in word or not alone or draw.random() > CHANGED:
            continue
        # A time that is not told is often worked out from one that is: 'new in Q4' holds 'before October 1' as well.
        if value in windows and not times_told:
            continue
        place, put = _once(request, value), words.another(kind, value, language, draw)
        if place is None or str(put).lower() in request.lower():
            continue
        shown = place.group().isupper() and len(place.group()) > 3
        request = (
            request[: place.start()] + (str(put).upper() if shown else str(put)) + request[place.end() :]
        )
        sketch = _put(sketch, kind, value, put)
    return {**pair, "request": request, "sketch": compact(sketch)}


def _places(part: Any) -> Iterator[tuple[str, Any]]:
    """Goods, times and whole numbers of a sketch, with their kind."""
    for inner in part if isinstance(part, list) else ():
        yield from _places(inner)
    for key, value in part.items() if isinstance(part, dict) else ():
        if key in (ITEMS, WHEN):
            yield key, value
        elif type(value) is int and value >= LEAST_NUMBER:
            yield NUMBER, value
        else:
            yield from _places(value)


def _windows(part: Any) -> list[Any]:
    """When, and how many days ago, wherever a sketch says it."""
    if isinstance(part, list):
        return [found for inner in part for found in _windows(inner)]
    if not isinstance(part, dict):
        return []
    own = [part[key] for key in ("from_days_ago", "to_days_ago", WHEN) if key in part]
    return own + [found for value in part.values() for found in _windows(value)]


def _put(part: Any, kind: str, old: Any, new: Any) -> Any:
    if isinstance(part, list):
        return [_put(inner, kind, old, new) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        key: new if value == old and kind in (key, NUMBER) else _put(value, kind, old, new)
        for key, value in part.items()
    }


def _once(text: str, value: Any) -> re.Match[str] | None:
    """Where the text says it, if it does so once and as a word of its own."""
    bound = (r"(?<![\w.,])", r"(?![\w%]|[.,]\d)") if str(value)[:1].isascii() else ("", "")
    found = list(re.finditer(bound[0] + re.escape(str(value)) + bound[1], text, re.IGNORECASE))
    return found[0] if len(found) == 1 else None


def _another_number(value: int, draw: random.Random) -> int:
    """One as long and as round, from half to twice it."""
    step = next(
        step for step in (100, 50, 10, 5, 1) if value % step == 0 and (value >= 2 * step or step == 1)
    )
    other = round(value * draw.uniform(0.5, 2) / step) * step
    return other if len(str(other)) == len(str(value)) else value


def _shape(time: str, language: str) -> str:
    """What a time begins with in English and ends with in Chinese: another of that kind stands in the same sentence."""
    return re.sub(r"\d+", "#", time.split()[0].lower() if language == "en" else time[-2:])


def _in_order(sketch: str) -> bool:
    """Whether no window ends before it begins."""
    windows = re.findall(r'"from_days_ago":(\d+),"to_days_ago":(\d+)', sketch)
    return all(int(begin) > int(end) for begin, end in windows)
