"""Who may ask for what, where: every rule of `access.decide` as a table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.errors import Banned, ClosedChannel, KeptForRoles, NoNewJobs, OverLimit, QueueFull, TooSoon
from bot.jobs.permissions import Standing, Wish, amount, decide
from bot.texts import common
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Halt, Pause
from storage.guilds.permissions import EVERYONE, Limit, Rules, Thing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STUDIO, LOUNGE, CATEGORY = 10, 11, 12
MEMBER, VIP, CREW = 1, 2, 3
VARY = (Thing.ACTION, "vary")
LARGE = (Thing.MODEL, "large")


def wish(**changes: Any) -> Wish:
    values: dict[str, Any] = {
        "places": (STUDIO,),
        "role_ids": (MEMBER,),
        "action": "imagine",
        "model": "easel",
        "size": 1024,
        "pictures": 4,
    }
    return Wish(**values | changes)


def ban(guild_id: int = 7) -> Ban:
    return Ban(guild_id=guild_id, user_id=5, actor_id=6, reason="spam", at=NOW)


def pause(halt: Halt, guild_id: int = 7) -> Pause:
    return Pause(guild_id=guild_id, halt=halt, actor_id=6, reason="", at=NOW)


def limits(limit: Limit, **by_role: int) -> Rules:
    names = {"everyone": EVERYONE, "vip": VIP, "crew": CREW}
    return Rules(limits={limit: {names[role]: amount for role, amount in by_role.items()}})


def ago(seconds: float) -> Standing:
    return Standing(latest=NOW - timedelta(seconds=seconds))


ONLY_STUDIO = Rules(channels=frozenset({STUDIO}))
ONLY_CATEGORY = Rules(channels=frozenset({CATEGORY}))
KEPT = Rules(roles={VARY: frozenset({VIP}), LARGE: frozenset({VIP, CREW})})
SIZES = limits(Limit.SIZE, everyone=512, vip=1024, crew=768)
FREE = Standing()

TABLE: list[tuple[str, Rules, Wish, Standing, type[Exception] | None]] = [
    ("no rules, nothing refused", Rules(), wish(), FREE, None),
    ("banned here", Rules(), wish(), Standing(ban=ban()), Banned),
    ("banned everywhere", Rules(), wish(), Standing(ban=ban(EVERYWHERE)), Banned),
    ("draining", Rules(), wish(), Standing(pauses=[pause(Halt.DRAINING)]), NoNewJobs),
    ("paused: taken, and waits", Rules(), wish(), Standing(pauses=[pause(Halt.PAUSED)]), None),
    (
        "paused here and draining everywhere",
        Rules(),
        wish(),
        Standing(pauses=[pause(Halt.DRAINING, EVERYWHERE), pause(Halt.PAUSED)]),
        NoNewJobs,
    ),
    ("a ban comes before all", ONLY_STUDIO, wish(places=(LOUNGE,)), Standing(ban=ban()), Banned),
    ("an open channel", ONLY_STUDIO, wish(), FREE, None),
    ("a closed channel", ONLY_STUDIO, wish(places=(LOUNGE,)), FREE, ClosedChannel),
    ("no channel left open", Rules(channels=frozenset()), wish(), FREE, ClosedChannel),
    ("a thread of an open channel", ONLY_STUDIO, wish(places=(99, STUDIO)), FREE, None),
    ("a channel of an open category", ONLY_CATEGORY, wish(places=(LOUNGE, CATEGORY)), FREE, None),
    ("an action for others", KEPT, wish(action="vary"), FREE, KeptForRoles),
    ("an action for one's role", KEPT, wish(action="vary", role_ids=(MEMBER, VIP)), FREE, None),
    ("an action for nobody", Rules(roles={VARY: frozenset()}), wish(action="vary"), FREE, KeptForRoles),
    ("another action", KEPT, wish(action="reroll"), FREE, None),
    ("a model for others", KEPT, wish(model="large"), FREE, KeptForRoles),
    ("a model for one of several roles", KEPT, wish(model="large", role_ids=(CREW,)), FREE, None),
    ("a size too large", SIZES, wish(size=768), FREE, OverLimit),
    ("a size at the limit", SIZES, wish(size=512), FREE, None),
    ("the most generous role counts", SIZES, wish(size=1024, role_ids=(CREW, VIP)), FREE, None),
    ("a role's limit is a limit too", SIZES, wish(size=1025, role_ids=(VIP,)), FREE, OverLimit),
    ("a role may have less than everyone", limits(Limit.SIZE, everyone=1024, vip=512), wish(role_ids=(VIP,)), FREE, OverLimit),
    ("a limit for a role leaves others free", limits(Limit.SIZE, vip=512), wish(), FREE, None),
    ("too many pictures", limits(Limit.PICTURES, everyone=2), wish(), FREE, OverLimit),
    ("the host's line is full", Rules(), wish(), Standing(waiting=10), QueueFull),
    ("one less is not", Rules(), wish(), Standing(waiting=9, waiting_here=9), None),
    ("the server's line is full", limits(Limit.WAITING, everyone=2), wish(), Standing(waiting=2, waiting_here=2), QueueFull),
    ("what waits elsewhere does not count", limits(Limit.WAITING, everyone=2), wish(), Standing(waiting=5, waiting_here=1), None),
    ("a server can't raise the host's limit", limits(Limit.WAITING, everyone=99), wish(), Standing(waiting=10), QueueFull),
    ("too soon", limits(Limit.COOLDOWN, everyone=60), wish(), ago(59), TooSoon),
    ("late enough", limits(Limit.COOLDOWN, everyone=60), wish(), ago(60), None),
    ("the shortest of one's roles' cooldowns", limits(Limit.COOLDOWN, everyone=60, vip=5, crew=30), wish(role_ids=(CREW, VIP)), ago(6), None),
    ("no cooldown for a role", limits(Limit.COOLDOWN, everyone=60, vip=0), wish(role_ids=(VIP,)), ago(0), None),
    ("no cooldown, and a clock that was put back", Rules(), wish(), ago(-3600), None),
    ("a cooldown of 0, and a clock that was put back", limits(Limit.COOLDOWN, everyone=0), wish(), ago(-1), None),
    ("a cooldown, and a clock that was put back", limits(Limit.COOLDOWN, everyone=60), wish(), ago(-2 * 86400), None),
    ("a moment ago is still too soon", limits(Limit.COOLDOWN, everyone=60), wish(), ago(0), TooSoon),
    ("the first job ever", limits(Limit.COOLDOWN, everyone=60), wish(), FREE, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "asked", "standing", "refusal"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_decide(rules: Rules, asked: Wish, standing: Standing, refusal: type[Exception] | None) -> None:
    decided = decide(rules, asked, standing, most_waiting=10, now=NOW)
    assert type(decided) is (refusal or type(None))
    if decided is not None:
        assert "Nothing was charged" in common.sentence(decided)


def told(rules: Rules, asked: Wish, standing: Standing = FREE) -> str:
    refusal = decide(rules, asked, standing, most_waiting=10, now=NOW)
    assert refusal is not None
    return common.sentence(refusal)


def test_refusals_say_who_may_and_where() -> None:
    assert f"in these channels here: <#{STUDIO}>" in told(ONLY_STUDIO, wish(places=(LOUNGE,)))
    assert f"`large` is kept for <@&{VIP}>, <@&{CREW}> here" in told(KEPT, wish(model="large"))
    assert f"up to 512 pixels on the longer side here. 1024 are for <@&{VIP}>" in told(SIZES, wish())
    assert "<t:" in told(limits(Limit.COOLDOWN, everyone=60), wish(), ago(1))
    assert "in this server: spam" in told(Rules(), wish(), Standing(ban=ban()))


def test_what_may_be_drawn_at_once_is_the_most_generous_amount() -> None:
    rules = limits(Limit.RUNNING, everyone=1, vip=3)
    assert amount(rules, Limit.RUNNING, (MEMBER, VIP)) == 3
    assert amount(rules, Limit.RUNNING, (MEMBER,)) == 1
    assert amount(Rules(), Limit.RUNNING, (MEMBER,)) is None
