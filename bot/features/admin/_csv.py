"""A server's quotas and its ledger as CSV files in which spreadsheets run nothing.

People and roles are written as Discord writes them (`<@7…>`, `<@&5…>`): a spreadsheet rounds a bare id to 15 digits.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from bot.connection.snowflakes import ID
from bot.errors import BadSheet
from generation.text_files import NotUtf8, decoded
from storage.credits.calendar import MAX_CREDITS, Period, Rate
from storage.credits.csv_rows import Row
from storage.credits.ledger import LedgerLine
from storage.guilds.changes import EVERYONE, Subject

MAX_BYTES = 256 * 1024
MAX_LINES = 5_000

COLUMNS = ("who", "name", "credits", "per", "bonus")
_HISTORY = ("when", "who", "name", "what", "allowance", "boost", "bonus", "by", "why", "job", "ends", "spent")
_DANGEROUS = re.compile(r"\s*[=+\-@|%＝＋－＠]|[\t\r\n]")
_SUBJECT = re.compile(rf"<@([&!]?)({ID})>")
_NUMBER = re.compile(r"[0-9]{1,7}", re.ASCII)

Names = Callable[[Subject], str]
"""The name of a subject; empty if unknown."""


def mention(subject: Subject) -> str:
    """A subject as Discord writes it, `everyone`, or `deleted` for an erased person."""
    if subject.id < 0:
        return "deleted"
    signs = {"role": "@&", "user": "@"}
    return f"<{signs[subject.kind]}{subject.id}>" if subject.kind in signs else "everyone"


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection)."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def write_quotas(rows: Iterable[Row], names: Names) -> bytes:
    """The file that `read_quotas` reads."""
    return _csv(
        COLUMNS,
        (
            (
                mention(row.subject),
                harmless(names(row.subject)),
                "" if row.rate is None else row.rate.credits,
                "" if row.rate is None else row.rate.period,
                "" if row.bonus is None else row.bonus,
            )
            for row in rows
        ),
    )


def write_history(lines: Iterable[LedgerLine], names: Names) -> bytes:
    """What moved whose credits, who did it, why and when."""
    return _csv(_HISTORY, (_line(line, names) for line in lines))


def _line(line: LedgerLine, names: Names) -> tuple[object, ...]:
    member = Subject(kind="user", id=line.user_id)
    return (
        (line.given_at or line.at).isoformat(timespec="seconds"),
        mention(member),
        harmless(names(member)),
        line.kind,
        line.allowance,
        line.boost,
        line.bonus,
        "" if line.actor_id is None else mention(Subject(kind="user", id=line.actor_id)),
        harmless(line.reason),
        line.job_id or "",
        "" if line.ends_at is None else line.ends_at.isoformat(timespec="seconds"),
        "" if line.cost is None else line.cost,
    )


def _csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig")  # the mark tells Excel that it is UTF-8


def read_quotas(content: bytes, *, role_ids: Collection[int]) -> list[Row]:
    """The rows of a file. `role_ids` are the server's roles. Raises BadSheet with a sentence for each wrong line."""
    rows: list[Row] = []
    wrong: list[str] = []
    seen: dict[Subject, int] = {}
    for number, cells in _records(content):
        try:
            row = _row(cells, role_ids)
            if row.subject in seen:
                raise ValueError(f"{mention(row.subject)} is in line {seen[row.subject]} already")
            seen[row.subject] = number
            rows.append(row)
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise BadSheet(tuple(wrong))
    if not rows:
        raise BadSheet(("there is no line in it but the first",))
    return rows


def _records(content: bytes) -> Iterator[tuple[int, dict[str, str]]]:
    """The number of each line and its cells by column. Raises BadSheet if it is no such table."""
    if len(content) > MAX_BYTES:
        raise BadSheet((f"it is larger than {MAX_BYTES // 1024} KiB",))
    try:
        text = decoded(content)
    except NotUtf8 as error:
        raise BadSheet((f"{error}, in Excel as CSV UTF-8",)) from None
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header: list[str] | None = None
    number = 1
    try:
        for cells in reader:
            if header is None:
                header = _header(cells)
            elif any(cell.strip() for cell in cells):
                yield number, _by_column(header, cells)
            number = reader.line_num + 1
            if number > MAX_LINES:
                raise BadSheet((f"it has more than {MAX_LINES:,} lines",))
    except csv.Error as error:
        raise BadSheet((f"line {number}: it can't be read ({error})",)) from None
    if header is None:
        raise BadSheet(("it is empty",))


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.strip().lower() for cell in cells]
    if set(header) - set(COLUMNS) or not {"who", "credits"} <= set(header) or len(set(header)) < len(header):
        raise BadSheet((f"line 1: it must name the columns {', '.join(COLUMNS)}, as /quota export does",))
    return header


def _by_column(header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    kept = [cell.strip() for cell in cells]
    if any(kept[len(header) :]):
        return {"": f"it has {len(kept)} cells for {len(header)} columns"}
    return dict(zip(header, kept, strict=False))


def _row(cells: dict[str, str], role_ids: Collection[int]) -> Row:
    """The row that cells mean. Raises ValueError with half a sentence."""
    if "" in cells:
        raise ValueError(cells[""])
    subject = _subject(cells.get("who", ""), role_ids)
    credits = _number("credits", cells.get("credits", ""))
    per = cells.get("per", "").lower() or Period.DAY
    if per not in list(Period):
        raise ValueError(f"per is {_quoted(per)}, and must be day, week or month")
    bonus = _number("bonus", cells.get("bonus", ""))
    if bonus is not None and subject.kind != "user":
        raise ValueError("only members have a bonus")
    return Row(subject=subject, rate=None if credits is None else Rate(credits, Period(per)), bonus=bonus)


def _subject(text: str, role_ids: Collection[int]) -> Subject:
    if text.lower() in ("everyone", "@everyone"):
        return EVERYONE
    found = _SUBJECT.fullmatch(text)
    if found is None or int(found[2]) == 0:
        raise ValueError(f"who is {_quoted(text)}, and must be everyone, a member <@ID> or a role <@&ID>")
    if found[1] != "&":
        return Subject(kind="user", id=int(found[2]))
    if int(found[2]) not in role_ids:
        raise ValueError(f"there is no role {text} in this server")
    return Subject(kind="role", id=int(found[2]))


def _number(column: str, text: str) -> int | None:
    if not text:
        return None
    if not _NUMBER.fullmatch(text) or int(text) > MAX_CREDITS:
        raise ValueError(f"{column} is {_quoted(text)}, and must be a whole number from 0 to {MAX_CREDITS:,}")
    return int(text)


def _quoted(text: str) -> str:
    """What was given, cut short and without a backtick, which would end the quotes."""
    return f'"{text[:30].replace("`", "")}"' if text else "empty"
