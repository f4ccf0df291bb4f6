"""Quotas as files: what is exported can be imported, harms no spreadsheet, and counts whole or not at all."""

from __future__ import annotations

import contextlib
import csv
import io
from datetime import UTC, datetime

import discord
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import BadSheet
from bot.features.admin import _csv as admin_csv
from bot.features.admin import quota_files
from bot.features.privacy import _erasure as erasure
from storage.credits import account
from storage.credits.calendar import Period, Rate
from storage.credits.csv_rows import Row
from storage.credits.ledger import Entry, LedgerLine
from storage.guilds.changes import Subject
from storage.privacy.erasures import Erasure
from tests.world import World, said

ROLE = 11
IDS = st.integers(1, 8 * 10**18)
RATES = st.builds(Rate, st.integers(0, 1_000_000), st.sampled_from(Period))
ROWS = st.one_of(
    st.builds(Row, subject=st.just(Subject(kind="everyone")), rate=st.none() | RATES),
    st.builds(Row, subject=st.just(Subject(kind="role", id=ROLE)), rate=st.none() | RATES),
    st.builds(
        Row,
        subject=st.builds(Subject, kind=st.just("user"), id=IDS),
        rate=st.none() | RATES,
        bonus=st.none() | st.integers(0, 1_000_000),
    ),
)
TABLES = st.lists(ROWS, min_size=1, max_size=9, unique_by=lambda row: row.subject)


def read(text: str) -> list[Row]:
    return admin_csv.read_quotas(text.encode(), role_ids=[ROLE])


def wrong(text: str) -> tuple[str, ...]:
    with pytest.raises(BadSheet) as caught:
        read(text)
    return caught.value.lines


@settings(deadline=None)
@given(rows=TABLES, name=st.text(max_size=20))
def test_what_is_written_is_read_back_whatever_people_are_called(rows: list[Row], name: str) -> None:
    written = admin_csv.write_quotas(rows, lambda _: name)
    assert admin_csv.read_quotas(written, role_ids=[ROLE]) == rows


@settings(deadline=None)
@given(
    text=st.text(max_size=30) | st.sampled_from(("=1+1", " =cmd|'/c calc'!A1", "+1", "-1", "@SUM(1)", "\t=1", "＝1"))
)
def test_no_text_of_theirs_is_a_formula(text: str) -> None:
    line = LedgerLine(
        guild_id=1,
        user_id=2,
        kind=Entry.GRANT,
        day=0,
        at=datetime(2026, 3, 1, tzinfo=UTC),
        bonus=-3,
        actor_id=4,
        reason=text,
    )
    content = admin_csv.write_history([line], lambda _: text).decode("utf-8-sig")
    _, cells = csv.reader(io.StringIO(content, newline=""))
    for cell in (cells[2], cells[8]):
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert not cell.lstrip().startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))
    assert cells[1] == "<@2>"
    assert cells[6] == "-3"


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: f"who,credits\n{text}".encode()))
def test_any_file_is_read_or_refused_in_words(content: bytes) -> None:
    with contextlib.suppress(BadSheet):
        assert admin_csv.read_quotas(content, role_ids=[ROLE])


def test_a_spreadsheets_ways_of_saving_are_understood() -> None:
    expected = [Row(subject=Subject(kind="user", id=7), rate=Rate(5, Period.WEEK), bonus=3)]
    for text in (
        "who,name,credits,per,bonus\r\n<@7>,Ben,5,week,3\r\n",
        "\ufeffWho;Name;Credits;Per;Bonus\n<@!7>;Ben;5;WEEK;3\n;;;;\n",
        "credits\twho\tper\tbonus\n5\t<@7>\tweek\t3",
        'who,name,credits,per,bonus\n<@7>,"Ben,\nthe painter", 5 ,week,3,,\n',
    ):
        assert read(text) == expected
    assert read("who,credits\neveryone,")[0].rate is None


def test_each_wrong_line_is_named_with_its_number() -> None:
    table = (
        "who,name,credits,per,bonus\n"
        "everyone,,many,day,\n"
        '<@7>,"two\nlines",5,day,\n'
        "<@&12>,,5,day,\n"
        "ben,,5,day,\n"
        "<@8>,,5,year,\n"
        "<@9>,,1000001,day,\n"
        "<@7>,,6,day,\n"
        "<@&11>,,5,day,4\n"
        "<@10>,,5,day,4,5\n"
    )
    lines = wrong(table)
    assert [line.partition(":")[0] for line in lines] == [f"line {n}" for n in (2, 5, 6, 7, 8, 9, 10, 11)]
    assert 'credits is "many"' in lines[0]
    assert "no role <@&12>" in lines[1]
    assert 'who is "ben"' in lines[2]
    assert "day, week or month" in lines[3]
    assert "from 0 to 1,000,000" in lines[4]
    assert "<@7> is in line 3 already" in lines[5]
    assert "only members have a bonus" in lines[6]
    assert "6 cells for 5 columns" in lines[7]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"who,credits\n", "no line in it but the first"),
        (b"id,amount\n1,2\n", "line 1: it must name the columns"),
        (b"who,credits,credits\n", "line 1"),
        ("who,credits\n<@7>,5".encode("utf-16"), "UTF-16 text"),
        (b"who,credits\n" + b"x" * admin_csv.MAX_BYTES, "larger than 256 KiB"),
        (b"who,credits\n" + b"\n" * 5_000, "more than 5,000 lines"),
        (b'who,credits\n"' + b"x" * 140_000, "can't be read"),
    ],
)
def test_what_is_no_such_table_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(BadSheet) as caught:
        admin_csv.read_quotas(content, role_ids=[])
    assert words in "".join(caught.value.lines)


async def exported(easel: World, what: str, **options: int) -> list[dict[str, str]]:
    result = await easel.admin.slash(easel.channel, "quota export", what=what, **options)
    (file,) = [file for part in (result.response, *result.followups) if part for file in part.attachments]
    assert file.filename == f"easel-{what}.csv"
    return list(csv.DictReader(io.StringIO((await file.read()).decode("utf-8-sig"), newline="")))


async def send(easel: World, content: str) -> str:
    return said(await easel.admin.slash(easel.channel, "quota import", file=("quotas.csv", content.encode())))


async def test_an_exported_file_is_changed_and_imported_and_taken_back(easel: World) -> None:
    await easel.told(easel.admin, "quota set", credits=30, who=easel.vip, per="week")
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
    rows = await exported(easel, "quotas")
    assert [(row["who"], row["name"], row["credits"], row["per"], row["bonus"]) for row in rows] == [
        (f"<@&{easel.vip.id}>", "VIP", "30", "week", ""),
        (easel.ben.mention, "ben", "", "", "5"),
    ]
    told = await send(easel, f"who,credits,per,bonus\n{easel.ben.mention},7,day,2\neveryone,50,month,\n")
    assert told == "Imported 2 lines. `/quota undo` takes it back."
    assert "7 of 7 credits left today** and 2 credits of bonus" in await easel.told(easel.ben, "info")
    assert "50 of 50 credits left this month" in await easel.told(easel.cleo, "info")
    assert "before the import of 2 lines" in await easel.told(easel.admin, "quota undo")
    assert await exported(easel, "quotas") == rows
    assert ": undo of import of 2 lines" in await easel.told(easel.admin, "quota show")


async def test_a_file_says_who_stays_nameless_where_discord_does_not_answer(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> list[discord.Member]:
        raise TimeoutError

    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben)
    monkeypatch.setattr(discord.Guild, "query_members", silent)
    (row,) = await exported(easel, "quotas")
    assert (row["who"], row["name"], row["bonus"]) == (easel.ben.mention, "", "5")


async def test_of_a_file_with_a_wrong_line_nothing_counts(easel: World) -> None:
    told = await send(easel, f"who,credits\neveryone,5\n{easel.ben.mention},lots\n")
    assert '- line 3: credits is "lots", and must be a whole number from 0 to 1,000,000' in told
    assert "Nothing was changed" in told
    assert "everyone: 40" in await easel.told(easel.admin, "quota show")


async def test_the_history_says_who_moved_what_and_why(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=5, who=easel.ben, reason="=HYPERLINK(1)")
    await easel.imagine(easel.ben)
    spent, reserved, granted = await exported(easel, "history")
    assert (granted["what"], granted["bonus"], granted["by"]) == ("grant", "5", easel.admin.mention)
    assert granted["why"] == "'=HYPERLINK(1)"
    assert (reserved["what"], reserved["allowance"], reserved["who"]) == ("reserve", "-4", easel.ben.mention)
    assert granted["name"] == "ben"
    assert spent["job"] == reserved["job"] != ""


async def test_a_long_history_has_further_files(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quota_files, "_HISTORY", 2)
    for credits in (1, 2, 3):
        await easel.told(easel.admin, "quota grant", credits=credits, who=easel.ben)
    assert "`page: 2` has them" in await easel.told(easel.admin, "quota export", what="history")
    assert [row["bonus"] for row in await exported(easel, "history", page=1)] == ["3", "2"]
    assert [row["bonus"] for row in await exported(easel, "history", page=2)] == ["1"]


async def booked(easel: World) -> int:
    async with easel.services.database.reading() as tx:
        row = await tx.fetch_one("SELECT count(*) FROM ledger WHERE bonus <> 0", ())
    assert row is not None
    return int(row[0])


async def test_what_everyone_got_is_in_the_file_before_anybody_used_it(easel: World) -> None:
    dora = easel.guild.add_member(easel.env.create_user("dora"), roles=[easel.vip])
    await easel.imagine(dora)
    await easel.imagine(easel.cleo)
    await easel.told(easel.admin, "quota grant", credits=10)
    await easel.told(easel.admin, "quota grant", credits=3, who=easel.vip)
    result = await easel.admin.slash(easel.channel, "quota export", what="quotas")
    assert "They still get: 10 credits for everyone, 3 credits for <@&" in said(result)
    rows = await exported(easel, "quotas")
    assert {row["who"]: row["bonus"] for row in rows} == {dora.mention: "13", easel.cleo.mention: "10"}
    assert await booked(easel) == 0, "to look at it books nothing"
    lines = "".join(f"{row['who']},,{row['bonus']}\n" for row in rows)
    assert "Imported 2 lines" in await send(easel, f"who,credits,bonus\n{lines}")
    assert "13 credits of bonus" in await easel.told(dora, "info"), "not given twice"
    await send(easel, f"who,credits,bonus\n{dora.mention},,1\n")
    assert "1 credit of bonus" in await easel.told(dora, "info")
    await easel.told(easel.admin, "quota undo")
    assert "13 credits of bonus" in await easel.told(dora, "info")


async def test_who_is_no_member_is_named_and_counts_all_the_same(easel: World) -> None:
    await easel.told(easel.admin, "quota grant", credits=10)
    told = await send(easel, f"who,credits,bonus\n{easel.ben.mention},5,\n<@81>,7,2\n<@82>,,9\n")
    assert "Imported 3 lines" in told
    assert "not members here now: <@81>, <@82>" in told
    assert easel.ben.mention not in told
    rows = {row["who"]: (row["credits"], row["bonus"]) for row in await exported(easel, "quotas")}
    assert rows["<@81>"] == ("7", "2")
    assert rows["<@82>"] == ("", "9"), "what everyone got is not for who left"
    assert "not members" not in await send(easel, f"who,credits\n{easel.ben.mention},5\neveryone,6\n")


async def test_nothing_is_imported_where_discord_does_not_say_who_is_a_member(
    easel: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object, **__: object) -> list[discord.Member]:
        raise TimeoutError

    monkeypatch.setattr(discord.Guild, "query_members", silent)
    told = await send(easel, f"who,credits\n{easel.ben.mention},5\n")
    assert "Discord did not say who is a member" in told
    assert "Nothing was changed" in told
    assert "Imported 1 line" in await send(easel, "who,credits\neveryone,5\n")


async def test_a_gift_has_the_time_at_which_it_was_given(easel: World) -> None:
    await easel.imagine(easel.ben)
    given = easel.clock()
    await easel.told(easel.admin, "quota grant", credits=10)
    easel.clock.move(days=3)
    stamp = f"<t:{int(given.timestamp())}:R> granted +10"
    assert stamp in await easel.told(easel.admin, "quota show", who=easel.ben)
    await easel.imagine(easel.ben)
    assert stamp in await easel.told(easel.admin, "quota show", who=easel.ben)
    (gift,) = [row for row in await exported(easel, "history") if row["what"] == "grant"]
    assert gift["when"] == given.isoformat(timespec="seconds")


async def test_what_was_spent_has_its_amount(easel: World) -> None:
    await easel.imagine(easel.ben, "a fox --count 3")
    assert " spent 3 " in await easel.told(easel.admin, "quota show", who=easel.ben)
    spent, reserved = await exported(easel, "history")
    assert (spent["what"], spent["spent"]) == ("settle", "3")
    assert (reserved["what"], reserved["spent"]) == ("reserve", "")


async def test_what_a_refund_leaves_is_spent(easel: World) -> None:
    await easel.imagine(easel.ben, "a fox --count 3")
    async with easel.services.database.transaction() as tx:
        values = {"guild_id": easel.guild.id, "user_id": easel.ben.id, "now": easel.clock()}
        await account.reserve(tx, job_id="other", price=4, allowance=Rate(40), **values)
        await account.refund(tx, job_id="other", now=easel.clock(), credits=1)
    assert "given back +1, 3 spent" in await easel.told(easel.admin, "quota show", who=easel.ben)
    assert (await exported(easel, "history"))[0]["spent"] == "3"


async def test_who_deleted_their_data_is_nobody_in_a_file(easel: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    ask = discord.Guild.query_members

    async def query(guild: discord.Guild, *, user_ids: list[int], limit: int) -> list[discord.Member]:
        asked.extend(user_ids)
        return await ask(guild, user_ids=user_ids, limit=limit)

    monkeypatch.setattr(discord.Guild, "query_members", query)
    await easel.imagine(easel.ben)
    await easel.imagine(easel.cleo)
    await erasure.erase(easel.services, Erasure(user_id=easel.ben.id, posts=False))
    rows = await exported(easel, "history")
    assert {(row["who"], row["name"]) for row in rows} == {("deleted", ""), (easel.cleo.mention, "cleo")}
    assert asked == [easel.cleo.id]


async def test_members_get_no_files(easel: World) -> None:
    (group,) = [one for one in await easel.client.tree.fetch_commands() if one.name == "quota"]
    easel.guild.set_command_permissions(group, {easel.guild.default_role: True})
    assert "Manage Server" in await easel.told(easel.ben, "quota export")
