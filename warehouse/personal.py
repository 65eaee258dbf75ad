"""Personal data recognised by a column's name and values, so that it never becomes a feature or a text.

Values are judged by kept libraries where there is one: telephone numbers by phonenumbers (Google's
libphonenumber), dates by the engine; e-mail addresses by their shape (RFC 5321's usual subset).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import phonenumbers

_NAMES = {
    "name": r"(first|last|full|given|family|sur|customer|user|contact|billing|shipping) ?name|姓名|收货人",
    "e-mail address": r"e ?mail( address)?|邮箱",
    "phone number": r"(tele)?phone( number)?|mobile|cell|fax|手机(号)?|电话",
    "postal address": r"(street|postal|home|billing|shipping)? ?address( line)?( \d)?|street|地址|(zip|post) ?code|邮编",
    "date of birth": r"(date of )?birth( ?date| ?day)?|dob|出生日期|生日",
    "identity number": r"ssn|passport( number)?|national id|tax id|身份证(号)?",
    "free text": r"comments?|remarks?|notes?|message|review( text| body)?|feedback|评论|备注|留言",
    "network address": r"ip( address)?",
    "card number": r"(credit ?)?card( number)?|iban|account number|银行卡(号)?",
}
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}")
_IP = re.compile(r"(\d{1,3}\.){3}\d{1,3}")
_REGIONS = ("US", "GB", "CN")
ENOUGH = 0.6
"""Share of example values that must look like it."""


def column_words(name: str) -> str:
    """A column's name in lower case words: 'InvoiceDate' -> 'invoice date'."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    return " ".join(re.findall(r"[a-z]+|\d+|[\u4e00-\u9fff]+", apart))


def personal_kind(name: str, examples: Sequence[str]) -> str | None:
    """What kind of personal data the column holds, or None."""
    words = column_words(name)
    for kind, pattern in _NAMES.items():
        if re.fullmatch(pattern, words):
            return kind
    for kind, test in (
        ("e-mail address", _EMAIL.fullmatch),
        ("network address", _IP.fullmatch),
        ("phone number", _phone),
    ):
        if examples and sum(bool(test(value.strip())) for value in examples) >= ENOUGH * len(examples):
            return kind
    return None


def _phone(text: str) -> bool:
    # A number written as one is meant: with a plus, brackets, spaces or dashes. Bare digits are ids here.
    if (
        not re.search(r"^\+|[()\s-]", text)
        or not re.search(r"\d{3}", text)
        or re.match(r"\d{4}-\d\d-\d\d", text)
    ):
        return False
    for region in _REGIONS:
        try:
            if phonenumbers.is_valid_number(phonenumbers.parse(text, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False
