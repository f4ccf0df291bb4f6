"""The buttons under a reported picture of which nothing is kept any more."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import discord

from bot.errors import NotModerator, ServerOnly
from bot.features.moderation import _leftover_reports as leftover_reports
from bot.features.moderation import _leftovers as leftovers
from bot.interactions.checks import policy_of
from bot.interactions.error_handler import acknowledge, answered, tell_privately
from bot.interactions.feature import Feature
from bot.texts import moderation


class Decision(
    discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]],
    template=leftovers.BUTTON,
):
    """Removes or keeps the message that its id names. Whoever may manage messages in the moderators' channel decides."""

    def __init__(self, custom_id: str, *, action: str, channel_id: int, message_id: int) -> None:
        self.action, self.channel_id, self.message_id = action, channel_id, message_id
        super().__init__(discord.ui.Button(label="?", custom_id=custom_id))

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], _item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Decision:
        return cls(
            match[0],
            action=match["action"],
            channel_id=int(match["channel"]),
            message_id=int(match["message"]),
        )

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        tell = partial(tell_privately, interaction)
        async with answered(
            tell, what=f"button {self.action} of a leftover", services=interaction.client.services
        ):
            await acknowledge(interaction)
            judge, case, services = interaction.user, interaction.message, interaction.client.services
            if not isinstance(judge, discord.Member) or case is None:
                raise ServerOnly
            (await policy_of(services, judge.guild.id, judge.id)).only_welcome()
            if not interaction.permissions.manage_messages:
                raise NotModerator
            if not await leftover_reports.decide(
                services,
                case,
                judge,
                action=self.action,
                channel_id=self.channel_id,
                message_id=self.message_id,
            ):
                await tell(moderation.DECIDED_BEFORE)


FEATURE = Feature(items=(Decision,))
