"""Words of praise and complaint, and of what a review speaks of, in English and Chinese."""

from __future__ import annotations

from typing import Literal

Tongue = Literal["en", "zh"]

POSITIVE: dict[Tongue, tuple[str, ...]] = {
    "en": tuple(
        """love loved loves great good excellent amazing awesome perfect perfectly best easy easily happy nice fun
        wonderful fantastic enjoy enjoying enjoyed helpful useful recommend recommended impressed satisfied pleased
        fast works beautiful cool like liked fresh delicious tasty cheap worth""".split()
    ),
    "zh": tuple(
        """好 喜欢 不错 满意 很快 快 赞 棒 推荐 值得 实惠 便宜 漂亮 好吃 新鲜 舒服 方便 清晰 正品 干净 热情 周到
        完美 合适 划算 给力 物美价廉 准时 香 惊喜 支持 五星 优秀 精彩 感谢 经典""".split()
    ),
}
NEGATIVE: dict[Tongue, tuple[str, ...]] = {
    "en": tuple(
        """bad terrible horrible awful poor worst hate hated disappointed disappointing disappointment return
        returned returning broken broke defective useless waste wasted problem problems issue issues fail failed
        fails stopped stops frustrating annoying wrong slow unable refund junk difficult stale dirty
        expensive""".split()
    ),
    "zh": tuple(
        """差 失望 难吃 退货 退 垃圾 慢 坏 烂 假 破 脏 骗 贵 晚 错 后悔 投诉 生气 无语 糟糕 恶心 麻烦 浪费 掉色 起球
        卡 死机 难受 异味 臭 凉 少 问题 不值 不好 不行 不给 没有 再也 千万 劣质 气愤 色差 郁闷""".split()
    ),
}
NEGATION: dict[Tongue, tuple[str, ...]] = {
    "en": tuple(
        "not no never don't doesn't didn't isn't wasn't can't won't hardly without cannot nothing".split()
    ),
    "zh": ("不", "没", "不太", "不怎么", "不是", "没有", "别"),
}
ASPECTS: dict[str, dict[Tongue, tuple[str, ...]]] = {
    "delivery": {
        "en": tuple("delivery delivered shipping shipped arrived arrive package courier".split()),
        "zh": tuple("物流 快递 送货 配送 送餐 发货 到货 送达 小哥".split()),
    },
    "price": {
        "en": tuple("price priced cost expensive cheap money value worth deal".split()),
        "zh": tuple("价格 价钱 便宜 贵 实惠 划算 性价比 降价 优惠".split()),
    },
    "quality": {
        "en": tuple("quality broken broke defective sturdy durable sound screen battery".split()),
        "zh": tuple("质量 做工 正品 假货 音质 屏幕 电池 材质 布料 掉色".split()),
    },
    "service": {
        "en": tuple("service support staff seller customer refund replacement".split()),
        "zh": tuple("服务 客服 态度 售后 卖家 商家 店家 退换".split()),
    },
    "ease of use": {
        "en": tuple("easy setup set-up install app use simple instructions".split()),
        "zh": tuple("方便 简单 安装 设置 操作 好用 使用".split()),
    },
    "taste": {
        "en": tuple("taste tasty flavor flavour delicious fresh stale".split()),
        "zh": tuple("味道 好吃 难吃 口味 口感 新鲜 分量 份量".split()),
    },
}
ASPECTS_ZH = {
    "delivery": "配送",
    "price": "价格",
    "quality": "质量",
    "service": "服务",
    "ease of use": "易用性",
    "taste": "口味",
}
