"""Chinese words typed with a wrong sign of the same sound ('冰淇琳', '优惠卷', '周未'), put right before a message is read.

Short words are listed, as most of their homophones are words too; names of goods from three signs on are known by their sound
(pinyin without tones, with the sounds that southern speakers do not tell apart).
"""

from __future__ import annotations

import re
from functools import cache

from assistant.linking import lexicon
from assistant.linking.rewrite import simplified
from assistant.linking.spans import Span, blanked, free

SHORTEST = 3
"""Signs of the shortest word that is known by its sound."""
_NAMES = re.compile(r"[\"“「《].*?[\"”」》]|(?:保存为|另存为|存为|存成|命名为|取名|起名|名为|叫做?).*$")
"""What may be a name, which nobody spells for another."""
_OTHERWISE = re.compile(
    r"数据|计算|显示|一次性|圣诞|[早午晚]餐|购物|礼品|打印|工具|文件|开心|无花|游戏|一体|家庭|生日"
)
"""Words that stand before many another: '数据显示' is no '数据线', '圣诞等节日' no '圣诞灯'."""
_COUPON = re.compile(r"[用领核兑][完了过掉]卷(?![纸尺筒发积心面饼])")
"""'用完卷': a coupon, not a roll of paper."""
_SIGNS = re.compile(r"[一-鿿]+")


def spelt_zh(message: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The message with mistyped words put right, and those words with their corrections."""
    open_text = blanked(message, [match.span() for match in _NAMES.finditer(message)])
    slips = lexicon.table("typos_zh.tsv")
    found = [(match.span(), slips[match.group()]) for match in _listed().finditer(open_text)]
    found += [(match.span(), match.group().replace("卷", "券")) for match in _COUPON.finditer(open_text)]
    for span, word in _by_sound(open_text):
        if free(span, (taken for taken, _ in found)):
            found.append((span, word))
    text = message
    for (start, end), word in sorted(found, reverse=True):
        text = text[:start] + word + text[end:]
    return text, tuple((message[slice(*span)], word) for span, word in sorted(found))


def _by_sound(text: str) -> list[tuple[Span, str]]:
    """Where the text sounds like a longer word of goods and is written as none, longest first."""
    found: list[tuple[Span, str]] = []
    busy: list[Span] = []
    sounds, longest = _sounds(), _longest()
    for run in _SIGNS.finditer(text):
        for length in range(min(longest, len(run.group())), SHORTEST - 1, -1):
            for start in range(run.start(), run.end() - length + 1):
                span = (start, start + length)
                said = text[slice(*span)]
                words = sounds.get(_sound(said), ()) if free(span, busy) else ()
                if not words:
                    continue
                busy.append(span)
                word = min(words, key=lambda each: (_wrong(said, each), _heard(said) != _heard(each)))
                if 0 < 3 * _wrong(said, word) <= length and not _stands(said, word):
                    found.append((span, word))
    return found


def _wrong(said: str, word: str) -> int:
    """How many signs differ: more than a third make another word, no slip."""
    return sum(a != b for a, b in zip(said, word, strict=True))


def _stands(said: str, word: str) -> bool:
    """Whether it is no slip: what agrees is a word by itself, so that the rest is the next one's ('厨房纸近' is no '厨房纸巾'),
    or the signs are the traditional ones."""
    agree = "".join(a if a == b else " " for a, b in zip(said, word, strict=True)).strip()
    return agree in lexicon.table("items_zh.tsv") or bool(_OTHERWISE.match(agree)) or simplified(said) == word


def _heard(word: str) -> tuple[str, ...]:
    """The pinyin of a word's signs, without tones."""
    from pypinyin import lazy_pinyin  # its tables take 0.4 s, and only Chinese needs them

    return tuple(lazy_pinyin(word))


@cache
def _sign(sign: str) -> str:
    (sound,) = _heard(sign)
    flat = re.sub(r"^([zcs])h", r"\1", sound)
    return re.sub(r"ng$", "n", flat)


def _sound(word: str) -> tuple[str, ...]:
    return tuple(map(_sign, word))


@cache
def _sounds() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Sound -> the goods of that sound, in the ways they are written; none where they are different goods."""
    meanings = lexicon.table("items_zh.tsv")
    sounds: dict[tuple[str, ...], list[str]] = {}
    for word in sorted(meanings):
        if len(word) >= SHORTEST and _SIGNS.fullmatch(word):
            sounds.setdefault(_sound(word), []).append(word)
    return {
        sound: tuple(words) for sound, words in sounds.items() if len({meanings[word] for word in words}) == 1
    }


@cache
def _longest() -> int:
    return max(map(len, _sounds()))


@cache
def _listed() -> re.Pattern[str]:
    words = sorted(lexicon.table("typos_zh.tsv"), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, words)) or r"(?!)")
