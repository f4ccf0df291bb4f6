"""Members and admins who ask for things, and the list of what they asked for."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from simcord.backend.models import Message

from tests.soak.town import Button, Person, Town

PROMPTS = ("a boat", "a lighthouse at night", "two boats", "snow on a red house", "ein castle aus Glas 🧊")
NUMBERS = ("1️⃣", "2️⃣", "3️⃣", "4️⃣")
LETTERS = ("🇦", "🇧", "🇨", "🇩")
FIRST_GRANT = 1_000
"""The credits of the first grant; each is one more than the one before, so that a line of the ledger tells it."""

_SUBCOMMAND, _STRING, _INTEGER, _MENTIONABLE = 1, 3, 4, 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One thing that somebody asked for, and when. `interaction` is None for a reaction; `key` is its event's, as in
    `gateway.py`.

    `verb` is a button's, or a command's name; of a grant, `amount` is the credits.
    """

    verb: str
    at: datetime
    who: Person
    interaction: int | None
    key: str
    job_id: str = ""
    index: int = 0
    message_id: int = 0
    amount: int = 0


class People:
    """Everybody who may ask. `wishes` is what was asked, in order."""

    def __init__(self, town: Town, source: random.Random) -> None:
        self._town, self._source = town, source
        self.wishes: list[Wish] = []
        self._kept: set[int] = set()
        self._doomed: set[int] = set()
        self._ways: dict[Callable[[Person], None], float] = {
            self._imagine: 6,
            self._press: 5,
            self._react: 2,
            self._stop: 1.2,
            self._cancel: 0.6,
            self._grant: 0.5,
            self._mail: 0.6,
            self._delete: 0.4,
            self._ask: 0.6,
        }

    def wish(self) -> None:
        """Somebody asks for something; nothing where there is nothing to press yet."""
        way = self._source.choices(list(self._ways), list(self._ways.values()))[0]
        way(self._source.choice(self._town.people))

    # ---------------------------------------------------------------- commands

    def _imagine(self, who: Person) -> None:
        prompt = f"{self._source.choice(PROMPTS)} {len(self.wishes)} --steps 4 --count {self._source.randint(1, 4)}"
        self._command(who, "imagine", [{"name": "prompt", "type": _STRING, "value": prompt}])

    def _cancel(self, who: Person) -> None:
        self._command(who, "cancel", [])

    def _ask(self, who: Person) -> None:
        self._command(who, self._source.choice(("info", "queue")), [])

    def _grant(self, who: Person) -> None:
        admin = next(one for one in self._town.people if one.admin and one.guild_id == who.guild_id)
        amount = FIRST_GRANT + sum(wish.verb == "quota" for wish in self.wishes)
        options = [
            {"name": "credits", "type": _INTEGER, "value": amount},
            {"name": "who", "type": _MENTIONABLE, "value": str(who.id)},
        ]
        self._command(
            admin,
            "quota",
            [{"name": "grant", "type": _SUBCOMMAND, "options": options}],
            self._town.member(who),
            amount=amount,
        )

    def _command(
        self,
        who: Person,
        name: str,
        options: list[dict[str, Any]],
        resolved: dict[str, Any] | None = None,
        *,
        amount: int = 0,
    ) -> None:
        interaction = self._town.type_command(who, name, options, resolved)
        self.wishes.append(
            Wish(verb=name, at=_now(), who=who, interaction=interaction, key=str(interaction), amount=amount)
        )

    # ------------------------------------------------------ buttons and reactions

    def _press(self, who: Person) -> None:
        if buttons := [button for button in self._on_results(who) if button.verb in ("u", "v", "r")]:
            verb = self._source.choices(("u", "v", "r"), (3, 3, 1))[0]
            self._click(who, self._source.choice([one for one in buttons if one.verb == verb] or buttons))

    def _stop(self, who: Person) -> None:
        """Owners cancel their own jobs, admins anybody's; others are refused."""
        here = self._town.standing(who.channel_id, self._town.progress[who.channel_id])
        if buttons := [button for one in here for button in self._town.buttons(one)]:
            self._click(who, self._source.choice(buttons))

    def _click(self, who: Person, button: Button) -> None:
        if button.verb == "u":
            self._kept.add(button.message.id)
        interaction = self._town.press(who, button)
        self.wishes.append(
            Wish(
                verb=button.verb,
                at=_now(),
                who=who,
                interaction=interaction,
                key=str(interaction),
                job_id=button.job_id,
                index=button.index,
                message_id=button.message.id,
            )
        )

    def _react(self, who: Person) -> None:
        buttons = [button for button in self._on_results(who) if button.verb in ("u", "v", "r")]
        if buttons:
            button = self._source.choice(buttons)
            emoji = {"u": NUMBERS, "v": LETTERS, "r": ("🔄",)}[button.verb][max(0, button.index - 1)]
            self._add(who, button, emoji)

    def _mail(self, who: Person) -> None:
        if buttons := [button for button in self._on_results(who) if button.verb == "r"]:
            self._add(who, self._source.choice(buttons), "✉️", verb="mail")

    def _delete(self, who: Person) -> None:
        """An admin deletes a result of which nobody has wanted a single picture."""
        admin = next(one for one in self._town.people if one.admin and one.guild_id == who.guild_id)
        buttons = [one for one in self._on_results(who) if one.verb == "r" and one.message.id not in self._kept]
        if buttons:
            button = self._source.choice(buttons)
            self._doomed.add(button.message.id)
            self._add(admin, button, "❌", verb="x")

    def _add(self, who: Person, button: Button, emoji: str, *, verb: str | None = None) -> None:
        message = button.message
        reaction = message.reaction_for(emoji)
        if reaction is not None and who.id in reaction.user_ids:
            return
        if (verb or button.verb) in ("u", "mail"):
            self._kept.add(message.id)
        self._town.set_reaction(message.channel_id, message.id, emoji, who.id, True)
        self.wishes.append(
            Wish(
                verb=verb or button.verb,
                at=_now(),
                who=who,
                interaction=None,
                key=f"{message.id} {who.id} {emoji}",
                job_id=button.job_id,
                index=button.index,
                message_id=message.id,
            )
        )

    def _on_results(self, who: Person) -> list[Button]:
        messages: list[Message] = self._town.standing(who.channel_id, self._town.results[who.channel_id])
        return [button for one in messages if one.id not in self._doomed for button in self._town.buttons(one)]


def _now() -> datetime:
    return datetime.now(UTC)
