"""What customers wrote about goods: kept to tell praise from complaint, and for nothing else.

The table reviews has a row a review: review (its key), customer_id, ts, item_id, rating (1 to 5), text, review_id (of the
source) and file_no. The table review_scores (`warehouse.review_scores`) has what each says of each aspect. Both name the
customer and the time, so that erasing a person and retention reach them. A text is no feature, goes into no index, log or
answer, and is kept without e-mail addresses, links and long numbers.
"""

from __future__ import annotations

import duckdb

from warehouse.connection import quoted
from warehouse.write import has_table, pseudonymised

RATINGS = (1, 5)
"""Of the scale that ratings are on; what lies outside cannot be read."""
MOST_CHARACTERS = 4000
"""Of one review that are kept."""
MASKED = (
    (r"[^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,}", "[e-mail]"),
    (r"(?:https?://|www\.)\S+", "[link]"),
    # Telephones, cards, orders: eight digits or more, however they are written.
    (r"\+?\d(?:[\s().-]?\d){7,}", "[number]"),
)
_COLUMNS = (
    "review VARCHAR, customer_id VARCHAR, ts TIMESTAMP, item_id VARCHAR, rating DOUBLE, text VARCHAR, "
    "review_id VARCHAR, file_no INTEGER"
)
_KEY = "left(md5(concat_ws('|', customer_id, ts, item_id, text)), 16)"


def take_reviews(connection: duckdb.DuckDBPyConnection) -> None:
    """Create raw_reviews of given_reviews: of somebody, at a time, with words or a rating, one a `review_id`."""
    text = "text"
    for pattern, mask in MASKED:
        text = f"regexp_replace({text}, {quoted(pattern)}, {quoted(mask)}, 'g')"
    connection.execute(
        f"CREATE TEMP TABLE raw_reviews AS SELECT source_id, ts, item_id, rating, "
        f"nullif(trim(left({text}, {MOST_CHARACTERS})), '') AS text, review_id, file_no FROM given_reviews "
        "WHERE source_id IS NOT NULL AND ts < current_date + 2 AND (trim(text) <> '' OR rating IS NOT NULL) "
        # Rows keep the order of their files: the last one is the latest word.
        "AND (review_id IS NULL OR rowid IN (SELECT max(rowid) FROM given_reviews GROUP BY review_id))"
    )


def keep(connection: duckdb.DuckDBPyConnection) -> None:
    """Add raw_reviews, where there is one, to the warehouse's table; a review that is there already comes in once."""
    if not has_table(connection, "raw_reviews"):
        return
    connection.execute(f"CREATE TABLE IF NOT EXISTS reviews ({_COLUMNS})")
    connection.execute("DELETE FROM reviews WHERE review_id IN (SELECT review_id FROM raw_reviews)")
    connection.execute(
        f"INSERT INTO reviews BY NAME SELECT {_KEY} AS review, * FROM ({pseudonymised('reviews')}) "
        f"WHERE {_KEY} NOT IN (SELECT review FROM reviews) "
        f"QUALIFY row_number() OVER (PARTITION BY {_KEY} ORDER BY file_no) = 1 ORDER BY item_id, ts"
    )


def take_out(connection: duckdb.DuckDBPyConnection, numbers: str) -> None:
    """Remove the reviews of corrected files. numbers: SQL list of the files' numbers."""
    if has_table(connection, "reviews"):
        connection.execute(f"DELETE FROM reviews WHERE file_no IN ({numbers})")
