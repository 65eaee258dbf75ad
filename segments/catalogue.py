"""The standard catalogue: every feature the product knows, declared once.

To add a feature, add a declaration here: the warehouse computes it, the language checks it, the
assistant finds it by its synonyms. Department features are made for the departments of the workspace.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from segments.attributes import CustomerAttribute
from segments.features import (
    Aggregate,
    Attribute,
    Catalogue,
    Favourite,
    Feature,
    FeatureType,
    Gap,
    Part,
    Ratio,
    Recency,
)
from segments.tastes import Taste

NUMBER, SHARE, BOOLEAN = FeatureType.NUMBER, FeatureType.SHARE, FeatureType.BOOLEAN
CATEGORY, BAND = FeatureType.CATEGORY, FeatureType.BAND
YEAR = 365

PARTS: Mapping[Part, tuple[int, int]] = {
    "morning": (5, 12),
    "afternoon": (12, 17),
    "evening": (17, 22),
    "night": (22, 5),
}
"""Hours of the day [from, to) of each part; the weekend is Saturday and Sunday."""


def _rfm(days: int) -> list[Feature]:
    en, zh = f"in the last {days} days", f"最近{days}天"
    return [
        Feature(
            f"orders_{days}d",
            NUMBER,
            "orders",
            f"number of orders {en}",
            f"{zh}的订单数",
            Aggregate("orders", days),
            ("orders", "purchases", "frequency", "trips", "visits", "shopped times"),
            ("订单数", "购买次数", "下单次数", "购物次数", "频次"),
        ),
        Feature(
            f"spend_{days}d",
            NUMBER,
            "currency",
            f"spend {en}",
            f"{zh}的消费金额",
            Aggregate("value", days),
            ("spend", "spent", "monetary", "revenue", "sales"),
            ("消费", "花费", "消费金额", "花了", "消费额"),
        ),
    ]


def _basics() -> list[Feature]:
    return [
        Feature(
            "recency_days",
            NUMBER,
            "days",
            "days since the last purchase",
            "距上次购买的天数",
            Recency(),
            ("recency", "days since last purchase", "last bought", "last order", "inactive for", "lapsed"),
            ("最近一次购买", "上次购买", "距上次购买天数", "未购买天数"),
        ),
        Feature(
            "tenure_days",
            NUMBER,
            "days",
            "days since the first purchase",
            "距首次购买的天数",
            Recency(first=True),
            ("tenure", "customer for", "customer since", "first purchase", "new customers", "joined"),
            ("首次购买", "客户时长", "新客", "新客户", "老客户"),
        ),
        Feature(
            "mean_gap_days",
            NUMBER,
            "days",
            "average days between purchases",
            "平均购买间隔天数",
            Gap(),
            (
                "inter-purchase gap",
                "days between orders",
                "purchase cycle",
                "purchase interval",
                "average gap",
            ),
            ("购买间隔", "平均间隔", "购买周期"),
        ),
        Feature(
            "overdue_ratio",
            NUMBER,
            "ratio",
            "days since the last purchase over the usual gap (above 1: overdue)",
            "距上次购买天数与平均购买间隔之比(大于1为逾期)",
            Ratio(Recency(), Gap()),
            ("overdue", "late for next purchase"),
            ("逾期", "超期未购"),
        ),
        Feature(
            "spend_lifetime",
            NUMBER,
            "currency",
            "total spend ever",
            "累计消费金额",
            Aggregate("value"),
            ("lifetime spend", "total spend", "all-time spend", "historical spend"),
            ("累计消费", "总消费", "历史消费"),
        ),
        Feature(
            "orders_lifetime",
            NUMBER,
            "orders",
            "total orders ever",
            "累计订单数",
            Aggregate("orders"),
            ("lifetime orders", "total orders", "orders ever"),
            ("累计订单", "总订单数", "历史订单"),
        ),
        Feature(
            "active_days_365d",
            NUMBER,
            "days",
            "days with a purchase in the last 365 days",
            "最近365天有购买的天数",
            Aggregate("days", YEAR),
            ("active days", "shopping days"),
            ("活跃天数", "购物天数"),
        ),
    ]


def _basket() -> list[Feature]:
    orders = Aggregate("orders", YEAR)
    return [
        Feature(
            "basket_value_365d",
            NUMBER,
            "currency",
            "average order value in the last 365 days",
            "最近365天的平均客单价",
            Ratio(Aggregate("value", YEAR), orders),
            (
                "average order value",
                "average order",
                "aov",
                "basket value",
                "average basket",
                "average ticket",
                "spend per order",
            ),
            ("客单价", "平均订单金额", "每单金额", "每单平均", "平均每单", "每单消费", "单均"),
        ),
        Feature(
            "basket_value_90d",
            NUMBER,
            "currency",
            "average order value in the last 90 days",
            "最近90天的平均客单价",
            Ratio(Aggregate("value", 90), Aggregate("orders", 90)),
            ("recent average order value", "recent basket value"),
            ("近期客单价",),
        ),
        Feature(
            "basket_lines_365d",
            NUMBER,
            "items",
            "average items (lines) per order in the last 365 days",
            "最近365天平均每单商品件数",
            Ratio(Aggregate("lines", YEAR), orders),
            ("basket size", "items per order", "items per basket", "products per order"),
            ("每单件数", "购物篮大小", "平均件数", "每单商品件数", "平均每单商品件数"),
        ),
        Feature(
            "quantity_365d",
            NUMBER,
            "items",
            "units bought in the last 365 days",
            "最近365天购买的件数",
            Aggregate("quantity", YEAR),
            ("units", "quantity bought", "units bought"),
            ("购买件数", "购买数量"),
        ),
        Feature(
            "categories_365d",
            NUMBER,
            "categories",
            "different categories bought in the last 365 days",
            "最近365天购买的品类数",
            Aggregate("categories", YEAR),
            (
                "category breadth",
                "number of categories",
                "different categories",
                "distinct categories",
                "variety",
            ),
            ("品类数", "购买品类", "品类广度"),
        ),
        Feature(
            "categories_90d",
            NUMBER,
            "categories",
            "different categories bought in the last 90 days",
            "最近90天购买的品类数",
            Aggregate("categories", 90),
            ("recent category breadth",),
            ("近期品类数",),
        ),
        Feature(
            "products_365d",
            NUMBER,
            "items",
            "different products bought in the last 365 days",
            "最近365天购买的商品种数",
            Aggregate("items", YEAR),
            ("different products", "distinct products", "unique products"),
            ("商品种数", "不同商品"),
        ),
        Feature(
            "stores_365d",
            NUMBER,
            "stores",
            "different stores visited in the last 365 days",
            "最近365天光顾的门店数",
            Aggregate("stores", YEAR),
            ("number of stores", "different stores", "stores visited", "shops at multiple stores"),
            ("门店数", "光顾门店", "几家店"),
        ),
        Feature(
            "favourite_department",
            CATEGORY,
            "",
            "department with the highest spend in the last 365 days",
            "最近365天消费最多的部门",
            Favourite("department", YEAR),
            (
                "favourite department",
                "favorite department",
                "top department",
                "main department",
                "number one department",
                "biggest department",
                "largest department",
            ),
            ("最常购买的部门", "主要部门", "偏好部门", "最爱的部门", "最喜欢的部门", "消费最多的部门"),
        ),
    ]


def _promotion() -> list[Feature]:
    value = Aggregate("value", YEAR)
    return [
        Feature(
            "private_label_share_365d",
            SHARE,
            "share",
            "share of spend on private label in the last 365 days",
            "最近365天自有品牌消费占比",
            Ratio(Aggregate("value", YEAR, where=(("brand", "Private"),)), value),
            ("private label share", "own brand share", "store brand share", "private brand", "house brand"),
            ("自有品牌占比", "自有品牌", "自营品牌占比"),
        ),
        Feature(
            "discount_rate_365d",
            SHARE,
            "share",
            "discount as a share of list price in the last 365 days",
            "最近365天折扣占标价的比例",
            Ratio(Aggregate("discount", YEAR), Aggregate("list_value", YEAR)),
            (
                "discount share",
                "discount rate",
                "discount",
                "deal seekers",
                "promotion share",
                "savings rate",
            ),
            ("折扣率", "折扣占比", "优惠占比", "折扣"),
        ),
        Feature(
            "discount_365d",
            NUMBER,
            "currency",
            "discounts received in the last 365 days",
            "最近365天获得的折扣金额",
            Aggregate("discount", YEAR),
            ("total discount", "discount amount", "saved", "savings", "discounts received"),
            ("折扣金额", "优惠金额", "节省金额"),
        ),
        Feature(
            "coupons_redeemed_365d",
            NUMBER,
            "coupons",
            "coupons redeemed in the last 365 days",
            "最近365天使用的优惠券数",
            Aggregate("lines", YEAR, event="coupon_redeem"),
            ("coupons redeemed", "coupons used", "coupon redemptions", "coupon usage", "number of coupons"),
            ("优惠券使用次数", "用券次数", "用券数", "核销次数", "使用优惠券"),
        ),
        Feature(
            "coupons_redeemed_90d",
            NUMBER,
            "coupons",
            "coupons redeemed in the last 90 days",
            "最近90天使用的优惠券数",
            Aggregate("lines", 90, event="coupon_redeem"),
            ("recent coupons redeemed",),
            ("近期用券次数",),
        ),
        Feature(
            "coupon_recency_days",
            NUMBER,
            "days",
            "days since the last coupon redemption",
            "距上次用券的天数",
            Recency("coupon_redeem"),
            ("days since last coupon", "last coupon use", "last redeemed"),
            ("上次用券", "距上次用券天数"),
        ),
        Feature(
            "campaigns_received_365d",
            NUMBER,
            "campaigns",
            "campaigns received in the last 365 days",
            "最近365天收到的营销活动数",
            Aggregate("lines", YEAR, event="exposure"),
            (
                "campaigns received",
                "mailings received",
                "campaign exposure",
                "targeted by campaigns",
                "contacted",
            ),
            ("收到的活动数", "营销活动数", "收到活动", "触达次数"),
        ),
        Feature(
            "campaigns_received_90d",
            NUMBER,
            "campaigns",
            "campaigns received in the last 90 days",
            "最近90天收到的营销活动数",
            Aggregate("lines", 90, event="exposure"),
            ("recent campaigns received",),
            ("近期收到的活动数",),
        ),
        Feature(
            "campaign_recency_days",
            NUMBER,
            "days",
            "days since the last campaign received",
            "距上次收到营销活动的天数",
            Recency("exposure"),
            ("days since last campaign", "last campaign", "last contacted"),
            ("上次营销活动", "距上次活动天数"),
        ),
        Feature(
            "campaign_response_365d",
            NUMBER,
            "ratio",
            "coupons redeemed for each campaign received in the last 365 days",
            "最近365天每次营销活动使用的优惠券数",
            Ratio(
                Aggregate("lines", YEAR, event="coupon_redeem"), Aggregate("lines", YEAR, event="exposure")
            ),
            ("campaign response", "response rate", "coupons per campaign", "campaign responsiveness"),
            ("活动响应率", "响应率", "营销响应"),
        ),
    ]


def _habits() -> list[Feature]:
    orders = Aggregate("orders", YEAR)
    words: tuple[tuple[Part, str, str, tuple[str, ...], tuple[str, ...]], ...] = (
        ("weekend", "on weekends", "周末", ("weekend", "weekends", "saturday and sunday"), ("周末",)),
        ("morning", "in the morning (5-12 h)", "上午(5-12点)", ("morning", "before noon"), ("早上", "上午")),
        ("afternoon", "in the afternoon (12-17 h)", "下午(12-17点)", ("afternoon",), ("下午",)),
        ("evening", "in the evening (17-22 h)", "晚上(17-22点)", ("evening", "after work"), ("晚上", "傍晚")),
        ("night", "at night (22-5 h)", "深夜(22-5点)", ("night", "late night"), ("深夜", "夜间")),
    )
    return [
        Feature(
            f"{part}_share_365d",
            SHARE,
            "share",
            f"share of orders {en} in the last 365 days",
            f"最近365天{zh}订单占比",
            Ratio(Aggregate("orders", YEAR, part=part), orders),
            syn_en,
            syn_zh,
        )
        for part, en, zh, syn_en, syn_zh in words
    ]


def _trend() -> list[Feature]:
    def ratio(measure: str, days: int) -> Ratio:
        return Ratio(Aggregate(measure, days), Aggregate(measure, 2 * days, days))  # type: ignore[arg-type]

    return [
        Feature(
            "spend_trend_90d",
            NUMBER,
            "ratio",
            "spend in the last 90 days over the 90 days before (below 1: falling)",
            "最近90天消费与之前90天之比(小于1为下降)",
            ratio("value", 90),
            (
                "spend trend",
                "spending less",
                "spending more",
                "spend dropped",
                "declining spend",
                "growing spend",
            ),
            ("消费趋势", "消费下降", "消费上升", "消费减少", "消费增长"),
        ),
        Feature(
            "orders_trend_90d",
            NUMBER,
            "ratio",
            "orders in the last 90 days over the 90 days before (below 1: falling)",
            "最近90天订单数与之前90天之比(小于1为下降)",
            ratio("orders", 90),
            ("order trend", "ordering less often", "ordering more often", "frequency dropped"),
            ("订单趋势", "订单减少", "订单增加", "购买频率下降"),
        ),
        Feature(
            "spend_trend_30d",
            NUMBER,
            "ratio",
            "spend in the last 30 days over the 30 days before (below 1: falling)",
            "最近30天消费与之前30天之比(小于1为下降)",
            ratio("value", 30),
            ("monthly spend trend", "spending less than last month"),
            ("月消费趋势",),
        ),
    ]


AGE = ("19-24", "25-34", "35-44", "45-54", "55-64", "65+")
INCOME = (
    "Under 15K",
    "15-24K",
    "25-34K",
    "35-49K",
    "50-74K",
    "75-99K",
    "100-124K",
    "125-149K",
    "150-174K",
    "175-199K",
    "200-249K",
    "250K+",
)


def _demographics() -> list[Feature]:
    return [
        Feature(
            "age",
            BAND,
            "years",
            "age band",
            "年龄段",
            Attribute("age"),
            ("age", "aged", "years old", "older", "younger", "seniors", "young", "retired"),
            ("年龄", "岁", "老年人", "年轻人", "年轻"),
            AGE,
            group=True,
        ),
        Feature(
            "income",
            BAND,
            "currency a year",
            "household income band",
            "家庭收入段",
            Attribute("income"),
            ("income", "earn", "earning", "make a year", "household income", "affluent", "wealthy", "salary"),
            ("收入", "家庭收入", "年收入", "高收入", "低收入"),
            INCOME,
            group=True,
        ),
        Feature(
            "household_size",
            BAND,
            "people",
            "people in the household",
            "家庭人数",
            Attribute("household_size"),
            (
                "household size",
                "people in the household",
                "household members",
                "family size",
                "person household",
            ),
            ("家庭人数", "几口人", "家庭规模", "口之家"),
            ("1", "2", "3", "4", "5+"),
            group=True,
        ),
        Feature(
            "kids_count",
            BAND,
            "children",
            "number of children",
            "孩子数量",
            Attribute("kids_count"),
            ("number of children", "number of kids", "kids", "children"),
            ("孩子数量", "几个孩子", "个孩子", "小孩"),
            ("0", "1", "2", "3+"),
        ),
        Feature(
            "has_children",
            BOOLEAN,
            "",
            "has children",
            "有孩子",
            Attribute("has_children"),
            (
                "has children",
                "with children",
                "with kids",
                "parents",
                "families",
                "childless",
                "no kids",
                "family",
            ),
            ("有孩子", "有小孩", "没有孩子", "无孩", "家长", "带孩子"),
            group=True,
        ),
        Feature(
            "marital_status",
            CATEGORY,
            "",
            "marital status",
            "婚姻状况",
            Attribute("marital_status"),
            ("marital status", "married", "unmarried", "single", "couples"),
            ("婚姻", "已婚", "未婚", "单身"),
            ("Married", "Unmarried"),
            ("已婚", "未婚"),
            group=True,
        ),
        Feature(
            "home_ownership",
            CATEGORY,
            "",
            "home ownership",
            "住房情况",
            Attribute("home_ownership"),
            (
                "home ownership",
                "homeowner",
                "homeowners",
                "renter",
                "renters",
                "own their home",
                "rent",
                "owns a home",
            ),
            ("住房", "有房", "租房", "房主", "租客"),
            ("Homeowner", "Probable Homeowner", "Probable Renter", "Renter"),
            ("有房", "可能有房", "可能租房", "租房"),
            group=True,
        ),
        Feature(
            "household_composition",
            CATEGORY,
            "",
            "household composition",
            "家庭构成",
            Attribute("household_composition"),
            ("household composition", "single parent", "single parents", "adults"),
            ("家庭构成", "单亲", "单亲家庭"),
            ("1 Adult Kids", "1 Adult No Kids", "2 Adults Kids", "2 Adults No Kids"),
            ("单亲有孩", "独居无孩", "双亲有孩", "两人无孩"),
        ),
    ]


DEPARTMENTS_ZH: Mapping[str, str] = {
    "GROCERY": "食品杂货",
    "DRUG GM": "药妆百货",
    "FUEL": "燃油",
    "PRODUCE": "果蔬",
    "MEAT": "鲜肉",
    "MEAT-PCKGD": "包装肉",
    "DELI": "熟食",
    "MISCELLANEOUS": "杂项",
    "PASTRY": "糕点",
    "NUTRITION": "营养健康",
    "SEAFOOD-PCKGD": "包装海鲜",
    "SEAFOOD": "海鲜",
    "FLORAL": "鲜花",
    "COSMETICS": "化妆品",
    "SALAD BAR": "沙拉吧",
    "SPIRITS": "烈酒",
    "GARDEN CENTER": "园艺",
}


def slug(value: str) -> str:
    """`MEAT-PCKGD` -> `meat_pckgd`: the form a value takes inside a feature name."""
    return re.sub(r"[^a-z0-9]+", "_", value.lower()).strip("_")


def _department(name: str) -> list[Feature]:
    zh = DEPARTMENTS_ZH.get(name, name)
    spend = Aggregate("value", YEAR, where=(("department", name),))
    title = name.title()
    return [
        Feature(
            f"spend_{slug(name)}_365d",
            NUMBER,
            "currency",
            f"spend in {title} in the last 365 days",
            f"最近365天{zh}消费金额",
            spend,
            (f"{name.lower()} spend", f"spend on {name.lower()}", f"spent on {name.lower()}"),
            (f"{zh}消费", f"{zh}花费"),
        ),
        Feature(
            f"share_{slug(name)}_365d",
            SHARE,
            "share",
            f"share of spend in {title} in the last 365 days",
            f"最近365天{zh}消费占比",
            Ratio(spend, Aggregate("value", YEAR)),
            (f"{name.lower()} share", f"share of spend on {name.lower()}", f"share of {name.lower()}"),
            (f"{zh}占比", f"{zh}消费占比", f"{zh}比例"),
        ),
    ]


def _taste(taste: Taste) -> Feature:
    near = Aggregate("value", taste.days, near=(taste.column, taste.near))
    en, zh = taste.label_en, taste.label_zh
    return Feature(
        taste.feature,
        SHARE,
        "share",
        f"share of spend near {en} in the last {taste.days} days",
        f"最近{taste.days}天与{zh}相近的消费占比",
        Ratio(near, Aggregate("value", taste.days)),
        (
            *(f"share of spend near {en}", f"spend near {en}", f"share of {en}", f"{en} share"),
            *(f"share of spend on {en}", f"taste for {en}", *taste.synonyms_en),
        ),
        (f"{zh}相近的消费占比", f"{zh}消费占比", f"{zh}占比", f"{zh}偏好", *taste.synonyms_zh),
    )


def standard_catalogue(
    departments: Sequence[str] = (),
    tastes: Sequence[Taste] = (),
    attributes: Sequence[CustomerAttribute] = (),
) -> Catalogue:
    """All features; `departments` (largest first) each add a spend and a share feature, `tastes` a share, `attributes`
    themselves, in the place of a known attribute of that name."""
    features = _basics()
    for days in (30, 90, 180, YEAR):
        features += _rfm(days)
    features += _basket() + _promotion() + _habits() + _trend() + _demographics()
    for name in departments:
        features += _department(name)
    features += [_taste(taste) for taste in tastes]
    own = [attribute.feature for attribute in attributes]
    replaced = {attribute.name for attribute in attributes}
    features = [feature for feature in features if feature.name not in replaced] + own
    return Catalogue(features)
