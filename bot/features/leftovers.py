"""The buttons under a reported picture of which nothing is kept any more."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import discord

from bot import leftover_reports, leftovers, moderation_pages
from bot.access import only_welcome
from bot.boundary import acknowledge, answered, tell_privately
from bot.errors import NotModerator, ServerOnly
from bot.feature import Feature


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
            tell, what=f"button {self.action} of a leftover", studio=interaction.client.studio
        ):
            await acknowledge(interaction)
            judge, case, studio = interaction.user, interaction.message, interaction.client.studio
            if not isinstance(judge, discord.Member) or case is None:
                raise ServerOnly
            async with studio.database.reading() as tx:
                await only_welcome(tx, guild_id=judge.guild.id, user_id=judge.id)
            if not interaction.permissions.manage_messages:
                raise NotModerator
            if not await leftover_reports.decide(
                studio,
                case,
                judge,
                action=self.action,
                channel_id=self.channel_id,
                message_id=self.message_id,
            ):
                await tell(moderation_pages.DECIDED_BEFORE)


FEATURE = Feature(items=(Decision,))
