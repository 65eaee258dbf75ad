"""What pydantic finds wrong with a field, in Chinese. The English is pydantic's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segments.explain import Language

ZH: Mapping[str, str] = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "json_invalid": "不是有效的 JSON",
    "model_type": "必须是一个对象",
    "model_attributes_type": "必须是一个对象",
    "dict_type": "必须是一个对象",
    "list_type": "必须是一个列表",
    "string_type": "必须是文本",
    "string_too_short": "至少{min_length}个字符",
    "string_too_long": "最多{max_length}个字符",
    "string_pattern_mismatch": "必须符合 {pattern}",
    "string_unicode": "必须是有效的 Unicode 文本",
    "too_short": "至少{min_length}项，而给的是{actual_length}项",
    "too_long": "最多{max_length}项",
    "int_type": "必须是整数",
    "int_parsing": "必须是整数",
    "int_parsing_size": "这个整数太大",
    "int_from_float": "必须是整数，不能有小数",
    "float_type": "必须是数字",
    "float_parsing": "必须是数字",
    "finite_number": "必须是有限的数字",
    "bool_type": "必须是 true 或 false",
    "bool_parsing": "必须是 true 或 false",
    "greater_than": "必须大于{gt}",
    "greater_than_equal": "必须不小于{ge}",
    "less_than": "必须小于{lt}",
    "less_than_equal": "必须不大于{le}",
    "literal_error": "必须是 {expected} 之一",
    "enum": "必须是 {expected} 之一",
    "date_type": "必须是日期，如 2026-01-31",
    "date_parsing": "必须是日期，如 2026-01-31",
    "date_from_datetime_parsing": "必须是日期，如 2026-01-31",
    "datetime_type": "必须是时刻，如 2026-01-31T12:00:00Z",
    "datetime_parsing": "必须是时刻，如 2026-01-31T12:00:00Z",
    "datetime_from_date_parsing": "必须是时刻，如 2026-01-31T12:00:00Z",
}
"""By pydantic's type of error; what stands in braces is in the error's context."""
OURS = {"holds half a character": "含有半个字符"}
"""What our own validators say (`value_error`)."""


def message(error: Mapping[str, Any], language: Language) -> str:
    """What one of pydantic's errors says; in English where the Chinese is not known."""
    context = error.get("ctx", {})
    if language == "zh" and error["type"] == "value_error":
        return OURS.get(str(context.get("error")), str(error["msg"]))
    if language == "zh" and error["type"] in ZH:
        known = {name: str(value).replace(" or ", " 或 ") for name, value in context.items()}
        return ZH[error["type"]].format(**known)
    return str(error["msg"])
