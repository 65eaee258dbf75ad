"""Chinese words typed with another sign of the same sound are put right, and right words are left alone."""

import pytest

from assistant.linking import lexicon
from assistant.linking.goods_alone import alone
from assistant.linking.spelling_zh import spelt_zh
from tests.assistant.conftest import Talk


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("去年买过冰淇琳的", "去年买过冰淇淋的"),
        ("买过尿不失的宝妈", "买过尿不湿的宝妈"),
        ("婴尔湿巾买过的", "婴儿湿巾买过的"),
        ("一张优惠卷都没用过", "一张优惠券都没用过"),
        ("用完卷之后没来", "用完券之后没来"),
        ("冷动披萨和速冻角子", "冷冻披萨和速冻饺子"),
        ("10月以来周木早上来的", "10月以来周末早上来的"),
        ("香焦买得勤的", "香蕉买得勤的"),
    ],
)
def test_slips_are_put_right(said, meant):
    text, corrections = spelt_zh(said)
    assert text == meant
    assert corrections
    assert all(wrong in said and right in meant for wrong, right in corrections)


@pytest.mark.parametrize(
    "text",
    [
        "厨房纸近半年花费翻倍",  # not 厨房纸巾
        "谁在二季度买过木炭又买过热狗",  # not 果木炭
        "我就惦记那几个爱买奶酪的，奶酪半年五次以上",  # not 奶酪棒
        "加油占比三成以上",  # not 加油站
        "找早餐场景：上午占比三成以上",  # not 早餐肠
        "用完卷纸又来买的",
        "数据显示这批人来得少",
        "计算指标是什么",
        "圣诞等节日来的人",
        "一次性完成导出",
        "所以尚未用过券的有多少",
        "买够粮油的客户",
        "至今没来过的",
        "買過全國品牌的湯",  # traditional signs are no slips
        "保存为“优惠卷冰淇琳”",
        "存为冰淇琳",
    ],
)
def test_what_is_no_slip_is_left_as_it_stands(text):
    assert spelt_zh(text) == (text, ())


def test_no_listed_slip_is_part_of_a_word_for_goods():
    slips = lexicon.table("typos_zh.tsv")
    assert [(slip, word) for slip in slips for word in lexicon.table("items_zh.tsv") if slip in word] == []
    assert all(len(slip) == len(word) and slip != word for slip, word in slips.items())


def test_what_was_put_right_is_told(talk: Talk):
    link = talk.assistant.linker.link("买过冰淇琳的客户")
    assert ("冰淇琳", "冰淇淋") in link.corrected
    assert link.goods == ("ICE CREAM/MILK/SHERBTS",)


@pytest.mark.parametrize(
    "text",
    [
        "里面包括哪些人",
        "下面条件不变",
        "大家具体看一下",
        "沉淀粉丝",
        "套餐包含什么",
        "如果干脆只要周日来的呢",
        "手表现好的人",
    ],
)
def test_signs_of_two_words_are_no_goods(talk: Talk, text):
    link = talk.assistant.linker.link(text)
    assert link.goods == ()


@pytest.mark.parametrize(
    "text",
    [
        "what was the main takeaway?",
        "split it half and half",
        "luv, who came in December?",
        "customers of med size households",
        "call at 9am EDT about those who came in December",
    ],
)
def test_words_of_talk_are_no_goods(talk: Talk, text):
    assert talk.assistant.linker.link(text).goods == ()


def test_goods_that_stand_alone_never_hide_those_of_the_lexicon(talk: Talk):
    linker = talk.assistant.linker
    assert [word for word in lexicon.table("items_zh.tsv") if alone(word) is not None] == []
    assert linker.goods("面包").category == ("BAKED BREAD/BUNS/ROLLS",)
