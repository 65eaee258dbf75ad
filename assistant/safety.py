"""Whom no segment is made of: people by what must not decide, or guessed from what they buy.

Two kinds of requests are refused before anything is linked. (1) People chosen, left out or guessed by race, religion,
health, sexual orientation, politics, union, origin or weakness; a product is not a person ('kosher wine', 'black bag').
(2) An advantage withheld by age, sex or family: prices, credit, insurance, jobs, housing. Ages and families as such may
be asked for: the words of the request decide, by rules that anyone can read.
"""

from __future__ import annotations

import re

_PEOPLE = (
    r"(?:customers?|people|persons?|shoppers?|households?|famil(?:y|ies)|buyers?|users?|members?|clients?|folks|men|women"
    r"|mothers?|fathers?|guys|community|audience|ones|ethnicity|origin|descent|race)"
)
_PROTECTED = re.compile(
    # Words for people themselves.
    r"\b(?:jews|jewish|muslims?|islamic|hindus?|sikhs?|buddhists?|christians|catholics|protestants|mormons|atheists"
    r"|gays?|lesbians?|homosexuals?|bisexuals?|transgender|transsexuals?|queer|lgbt\w*|disabled|handicapped|cripples?"
    r"|immigrants?|refugees?|undocumented|foreigners|gypsies|roma people|republicans?|democrats?|conservative voters"
    r"|communists?|trade union(?:ists?)?|union members?|alcoholics?|drug addicts?|gambling addict\w*|gamblers|addicts?"
    r"|diabetics|cancer patients?|hiv|aids patients?|mentally ill|depressed|suicidal|bipolar"
    r"|pregnan(?:t|cy)(?! tests?\b))\b"
    # Words that are also colours, tastes and styles: only of people.
    rf"|\b(?:black|white|brown|coloured|colored|asian|african|hispanic|latinos?|latinas?|latin|arab\w*|indian|mexican"
    rf"|native|indigenous|caucasian|christian|catholic)s?\s+(?:american\s+)?{_PEOPLE}\b"
    r"|\bblacks\b|\bhispanics\b|\blatinos?\b|\bcaucasians?\b"
    r"|\b(?:by|their|of (?:what|which)|whose) (?:race|religion|ethnic\w*|skin colou?r|sexual\w*"
    r"|political\w*|faith|nationality)\b"
    r"|\b(?:race|ethnicity|religion|sexual orientation|skin colou?r|political (?:views?|party))\b"
    r"|\b(?:with|have|has|suffer\w* from) (?:hiv|aids|cancer|depression|diabetes|a disability|disabilities"
    r"|mental illness)\b"
    r"|\bwho votes?\b|\bin debt\b|\bdesperate\b|\bpayday loans?\b"
    r"|穆斯林|犹太|基督徒|天主教徒|佛教徒|信教|宗教|信仰|同性恋|双性恋|变性|跨性别|残疾|残障|种族|肤色|民族|汉族|回族|藏族|维吾尔"
    r"|黑人|白人|移民|难民|怀孕|孕妇(?!装|奶粉|枕)|艾滋|癌症患者|抑郁症?患?者?|政治立场|党员|工会会员|酗酒|酒鬼|赌瘾|赌徒|吸毒|负债累累",
    re.IGNORECASE,
)
_GOODS = r"prices?|loans?|credit|mortgages?|insurance|jobs?|hiring|vacanc\w+|apartments?|housing|flats?"
_WITHHELD = re.compile(
    r"\b(?:hide|deny|denies|refuse|exclude|withhold|do(?:n't| not) (?:show|offer|give|send)|keep|charge|raise|increase)\b"
    rf"[^.?!]*\b(?:{_GOODS})\b|\b(?:higher|more expensive) (?:{_GOODS})\b"
    rf"|\b(?:{_GOODS})\b[^.?!]*\b(?:not|except|exclud\w+)\b"
    # A discount is a price, but 'exclude discount shoppers over 60' chooses by what was bought.
    r"|\b(?:deny|denies|refuse|withhold|do(?:n't| not) (?:offer|give|send))\b[^.?!]*\bdiscounts?\b"
    r"|(?:别|不要|不许|不准)(?:再)?给.{0,6}(?:优惠(?!券)|折扣)"
    r"|(?:不要?给|拒绝|隐藏|排除|不给|别给|不让).{0,16}(?:贷款|信贷|保险|招聘|职位|房|价格)|(?:更高|涨|抬高).{0,4}(?:价|保费|利率)"
    r"|(?:贷款|信贷|保险|招聘|职位|租房|房源).{0,12}(?:不要?给|不给|排除|别给)",
    re.IGNORECASE,
)
_BY_PERSON = re.compile(
    r"\b(?:age|aged|older|elderly|young\w*|seniors?|retired|over \d\d|under \d\d|married|single|divorced|women|woman|men"
    r"|man"
    r"|female|male|sex|gender|mothers?|fathers?|parents?|famil(?:y|ies)|children|kids)\b"
    r"|岁|老人|老年|年轻|已婚|未婚|单身|离异|女性|男性|女人|男人|性别|母亲|父亲|孩子|家庭",
    re.IGNORECASE,
)


def unfair(message: str) -> bool:
    """Whether a message asks for people by what must not decide, or withholds an advantage by age, sex or family."""
    if _PROTECTED.search(message):
        return True
    return bool(_WITHHELD.search(message) and _BY_PERSON.search(message))
