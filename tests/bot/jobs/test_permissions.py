"""Who may ask for what, where: every rule of `permissions.decide` as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Banned, ClosedChannel, KeptForRoles, NoNewJobs, OverLimit, QueueFull, Refusal, TooSoon
from bot.jobs.orders import Order
from bot.jobs.permissions import decide
from bot.jobs.policy import GuildPolicy
from bot.jobs.requester import Requester
from bot.texts import refusals
from generation.contract import Sampling, TextToImage
from storage.guilds.bans import Ban
from storage.guilds.changes import EVERYWHERE
from storage.guilds.pauses import Halt, Pause
from storage.guilds.permissions import EVERYONE, JobsOf, Limit, Rules, Thing
from storage.guilds.settings import GuildSettings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STUDIO, LOUNGE, CATEGORY = 10, 11, 12
MEMBER, VIP, CREW = 1, 2, 3
VARY = (Thing.ACTION, "vary")
LARGE = (Thing.MODEL, "large")


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody asks for; `places` are the channel and what contains it."""

    places: tuple[int, ...] = (STUDIO,)
    role_ids: tuple[int, ...] = (MEMBER,)
    action: str = "imagine"
    model: str = "easel"
    size: int = 1024
    pictures: int = 4

    @property
    def order(self) -> Order:
        request = TextToImage(sampling=Sampling(model=self.model, prompt="", negative="", width=self.size, height=self.size, steps=1, guidance=1.0, seeds=tuple(range(self.pictures))))  # fmt: skip
        return Order(action=self.action, prompt="", request=request, price=1, adult=False)

    @property
    def who(self) -> Requester:
        return Requester(
            user_id=5,
            guild_id=7,
            channel_id=self.places[0],
            role_ids=self.role_ids,
            joined_at=None,
            interaction_id=None,
            within=self.places[1:],
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of them."""

    ban: Ban | None = None
    pauses: Sequence[Pause] = ()
    waiting: int = 0
    waiting_here: int = 0
    latest: datetime | None = None


def policy(rules: Rules, standing: Standing) -> GuildPolicy:
    return GuildPolicy(
        settings=GuildSettings(guild_id=7),
        rules=rules,
        free=frozenset(),
        pauses=standing.pauses,
        words=(),
        ban=standing.ban,
        timed_out_until=None,
    )


def decided(rules: Rules, asked: Wish, standing: Standing) -> Refusal | None:
    jobs = JobsOf(waiting=standing.waiting, waiting_here=standing.waiting_here, latest=standing.latest)
    return decide(policy(rules, standing), asked.order, asked.who, jobs, most_waiting=10, now=NOW)


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
    ("no rules, nothing refused", Rules(), Wish(), FREE, None),
    ("banned here", Rules(), Wish(), Standing(ban=ban()), Banned),
    ("banned everywhere", Rules(), Wish(), Standing(ban=ban(EVERYWHERE)), Banned),
    ("draining", Rules(), Wish(), Standing(pauses=[pause(Halt.DRAINING)]), NoNewJobs),
    ("paused: taken, and waits", Rules(), Wish(), Standing(pauses=[pause(Halt.PAUSED)]), None),
    (
        "paused here and draining everywhere",
        Rules(),
        Wish(),
        Standing(pauses=[pause(Halt.DRAINING, EVERYWHERE), pause(Halt.PAUSED)]),
        NoNewJobs,
    ),
    ("a ban comes before all", ONLY_STUDIO, Wish(places=(LOUNGE,)), Standing(ban=ban()), Banned),
    ("an open channel", ONLY_STUDIO, Wish(), FREE, None),
    ("a closed channel", ONLY_STUDIO, Wish(places=(LOUNGE,)), FREE, ClosedChannel),
    ("no channel left open", Rules(channels=frozenset()), Wish(), FREE, ClosedChannel),
    ("a thread of an open channel", ONLY_STUDIO, Wish(places=(99, STUDIO)), FREE, None),
    ("a channel of an open category", ONLY_CATEGORY, Wish(places=(LOUNGE, CATEGORY)), FREE, None),
    ("an action for others", KEPT, Wish(action="vary"), FREE, KeptForRoles),
    ("an action for one's role", KEPT, Wish(action="vary", role_ids=(MEMBER, VIP)), FREE, None),
    ("an action for nobody", Rules(roles={VARY: frozenset()}), Wish(action="vary"), FREE, KeptForRoles),
    ("another action", KEPT, Wish(action="reroll"), FREE, None),
    ("a model for others", KEPT, Wish(model="large"), FREE, KeptForRoles),
    ("a model for one of several roles", KEPT, Wish(model="large", role_ids=(CREW,)), FREE, None),
    ("a size too large", SIZES, Wish(size=768), FREE, OverLimit),
    ("a size at the limit", SIZES, Wish(size=512), FREE, None),
    ("the most generous role counts", SIZES, Wish(size=1024, role_ids=(CREW, VIP)), FREE, None),
    ("a role's limit is a limit too", SIZES, Wish(size=1025, role_ids=(VIP,)), FREE, OverLimit),
    ("a role may have less than everyone", limits(Limit.SIZE, everyone=1024, vip=512), Wish(role_ids=(VIP,)), FREE, OverLimit),
    ("a limit for a role leaves others free", limits(Limit.SIZE, vip=512), Wish(), FREE, None),
    ("too many pictures", limits(Limit.PICTURES, everyone=2), Wish(), FREE, OverLimit),
    ("the host's line is full", Rules(), Wish(), Standing(waiting=10), QueueFull),
    ("one less is not", Rules(), Wish(), Standing(waiting=9, waiting_here=9), None),
    ("the server's line is full", limits(Limit.WAITING, everyone=2), Wish(), Standing(waiting=2, waiting_here=2), QueueFull),
    ("what waits elsewhere does not count", limits(Limit.WAITING, everyone=2), Wish(), Standing(waiting=5, waiting_here=1), None),
    ("a server can't raise the host's limit", limits(Limit.WAITING, everyone=99), Wish(), Standing(waiting=10), QueueFull),
    ("too soon", limits(Limit.COOLDOWN, everyone=60), Wish(), ago(59), TooSoon),
    ("late enough", limits(Limit.COOLDOWN, everyone=60), Wish(), ago(60), None),
    ("the shortest of one's roles' cooldowns", limits(Limit.COOLDOWN, everyone=60, vip=5, crew=30), Wish(role_ids=(CREW, VIP)), ago(6), None),
    ("no cooldown for a role", limits(Limit.COOLDOWN, everyone=60, vip=0), Wish(role_ids=(VIP,)), ago(0), None),
    ("no cooldown, and a clock that was put back", Rules(), Wish(), ago(-3600), None),
    ("a cooldown of 0, and a clock that was put back", limits(Limit.COOLDOWN, everyone=0), Wish(), ago(-1), None),
    ("a cooldown, and a clock that was put back", limits(Limit.COOLDOWN, everyone=60), Wish(), ago(-2 * 86400), None),
    ("a moment ago is still too soon", limits(Limit.COOLDOWN, everyone=60), Wish(), ago(0), TooSoon),
    ("the first job ever", limits(Limit.COOLDOWN, everyone=60), Wish(), FREE, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "asked", "standing", "refusal"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_decide(rules: Rules, asked: Wish, standing: Standing, refusal: type[Exception] | None) -> None:
    refused = decided(rules, asked, standing)
    assert type(refused) is (refusal or type(None))
    if refused is not None:
        assert "Nothing was charged" in refusals.sentence(refused)


def told(rules: Rules, asked: Wish, standing: Standing = FREE) -> str:
    refusal = decided(rules, asked, standing)
    assert refusal is not None
    return refusals.sentence(refusal)


def test_refusals_say_who_may_and_where() -> None:
    assert f"in these channels here: <#{STUDIO}>" in told(ONLY_STUDIO, Wish(places=(LOUNGE,)))
    assert f"`large` is kept for <@&{VIP}>, <@&{CREW}> here" in told(KEPT, Wish(model="large"))
    assert f"up to 512 pixels on the longer side here. 1024 are for <@&{VIP}>" in told(SIZES, Wish())
    assert "<t:" in told(limits(Limit.COOLDOWN, everyone=60), Wish(), ago(1))
    assert "in this server: spam" in told(Rules(), Wish(), Standing(ban=ban()))


def test_what_may_be_drawn_at_once_is_the_most_generous_amount() -> None:
    rules = limits(Limit.RUNNING, everyone=1, vip=3)
    assert policy(rules, FREE).amount(Limit.RUNNING, (MEMBER, VIP)) == 3
    assert policy(rules, FREE).amount(Limit.RUNNING, (MEMBER,)) == 1
    assert policy(Rules(), FREE).amount(Limit.RUNNING, (MEMBER,)) is None
