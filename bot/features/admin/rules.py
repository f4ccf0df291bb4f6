"""`/admin rules show|channel|action|model|limit|priority|default-model`: who may use what in a server, and where."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import BadAmount, NotOnTheList
from bot.features.admin._group import CHOICES, Desk, Page, admin, opened
from bot.interactions.feature import Feature
from bot.interactions.options import PermissionName
from bot.jobs import orders
from bot.pictures.age_restriction import age_restricted
from bot.services import Services
from bot.texts import admin as texts
from storage.guilds import bans, pauses, permissions, settings, word_rules
from storage.guilds.permissions import EVERYONE, Limit, Thing
from storage.jobs import role_weights

_MOST = {
    Limit.SIZE: 16384,
    Limit.PICTURES: 16,
    Limit.WAITING: 1000,
    Limit.RUNNING: 1000,
    Limit.COOLDOWN: 86400,
}
_LEAST = {Limit.SIZE: 64, Limit.PICTURES: 1, Limit.WAITING: 1, Limit.RUNNING: 1, Limit.COOLDOWN: 0}

OpenChannel = (
    discord.TextChannel
    | discord.VoiceChannel
    | discord.StageChannel
    | discord.ForumChannel
    | discord.CategoryChannel
    | discord.Thread
)

rules = app_commands.Group(name="rules", description="Who may use what here, and where", parent=admin)


@rules.command(name="show", description="Everything that is set for this server")
@app_commands.describe(page="From 1, where there is much")
async def show(interaction: discord.Interaction[Any], page: Page = 1) -> None:
    desk = await opened(interaction)
    async with desk.services.database.reading() as tx:
        words = texts.rules(
            await settings.settings(tx, desk.guild_id),
            await permissions.rules(tx, desk.guild_id),
            await role_weights.weights(tx, desk.guild_id),
            await pauses.pauses(tx, desk.guild_id),
            await bans.bans(tx, desk.guild_id),
            words=len(await word_rules.word_rules(tx, desk.guild_id)),
            number=page,
        )
    await desk.tell(words)


@rules.command(name="channel", description="Take jobs in chosen channels only")
@app_commands.describe(
    channel="A channel, a thread or a whole category; leave out to take jobs everywhere again",
    allowed="False takes it off the list again",
)
async def channel(
    interaction: discord.Interaction[Any], channel: OpenChannel | None = None, allowed: bool = True
) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        old = await permissions.rules(record.tx, desk.guild_id)
        if channel is not None and not allowed and channel.id not in (old.channels or ()):
            raise NotOnTheList(texts.channel_not_listed(channel.id, old.channels))
        if channel is None:
            await permissions.open_all_channels(record.tx, desk.guild_id)
        else:
            await permissions.open_channel(record.tx, guild_id=desk.guild_id, channel_id=channel.id, open=allowed)
        new = await permissions.rules(record.tx, desk.guild_id)
        await record.note("channels", old=texts.channels(old.channels), new=texts.channels(new.channels))
    await desk.tell(texts.channels_are(new.channels))


@rules.command(name="action", description="Keep an action for chosen roles")
@app_commands.describe(
    action="What people do",
    role="Who may; leave out to give it to everyone again",
    allowed="False takes the role off the list again",
)
async def action(
    interaction: discord.Interaction[Any],
    action: PermissionName,
    role: discord.Role | None = None,
    allowed: bool = True,
) -> None:
    await _keep(await opened(interaction), (Thing.ACTION, action), role, allowed)


@rules.command(name="model", description="Keep a model for chosen roles")
@app_commands.describe(
    model="Which one",
    role="Who may; leave out to give it to everyone again",
    allowed="False takes the role off the list again",
)
async def model(
    interaction: discord.Interaction[Any],
    model: str,
    role: discord.Role | None = None,
    allowed: bool = True,
) -> None:
    desk = await opened(interaction)
    among_adults = age_restricted(interaction.channel)
    key = orders.find_model(model, desk.services.catalogue, among_adults=among_adults).key
    await _keep(desk, (Thing.MODEL, key), role, allowed)


async def _keep(desk: Desk, thing: tuple[Thing, str], role: discord.Role | None, allowed: bool) -> None:
    async with desk.changing() as record:
        old = (await permissions.rules(record.tx, desk.guild_id)).roles.get(thing)
        if role is not None and not allowed and role.id not in (old or ()):
            raise NotOnTheList(texts.role_not_listed(thing[1], role.id, old))
        if role is None or role.id == desk.guild_id:
            await permissions.give_to_everyone(record.tx, guild_id=desk.guild_id, thing=thing)
        else:
            await permissions.keep_for(record.tx, guild_id=desk.guild_id, thing=thing, role_id=role.id, may=allowed)
        new = (await permissions.rules(record.tx, desk.guild_id)).roles.get(thing)
        await record.note(f"{thing[0].value} {thing[1]}", old=texts.roles(old), new=texts.roles(new))
    await desk.tell(texts.kept_for(thing[1], new))


@rules.command(name="limit", description="Limit sizes, pictures, jobs at once, or how often people may ask")
@app_commands.describe(
    what="What is limited",
    amount="Pixels of the longer side, pictures, jobs, or seconds; leave out for no limit",
    role="For whom; leave out for everyone. The most generous of a member's roles counts",
)
@app_commands.choices(what=[app_commands.Choice(name=texts.LIMITS[one], value=one.value) for one in Limit])
async def limit(
    interaction: discord.Interaction[Any],
    what: app_commands.Choice[str],
    amount: app_commands.Range[int, 0, 86400] | None = None,
    role: discord.Role | None = None,
) -> None:
    desk = await opened(interaction)
    chosen = Limit(what.value)
    if amount is not None and not _LEAST[chosen] <= amount <= _MOST[chosen]:
        raise BadAmount(texts.limit_range(chosen, _LEAST[chosen], _MOST[chosen]))
    role_id = EVERYONE if role is None or role.id == desk.guild_id else role.id
    async with desk.changing() as record:
        old = (await permissions.rules(record.tx, desk.guild_id)).limits.get(chosen, {}).get(role_id)
        await permissions.set_limit(record.tx, guild_id=desk.guild_id, limit=chosen, role_id=role_id, amount=amount)
        await record.note(
            texts.limit_of(chosen, role_id),
            old=None if old is None else str(old),
            new=None if amount is None else str(amount),
        )
    await desk.tell(texts.limit_is(chosen, role_id, amount))


@rules.command(
    name="priority",
    description="Give a role's jobs a larger or smaller share when people wait for each other",
)
@app_commands.describe(role="Whose", weight="1 is usual here, 2 is twice the share; leave out for the usual one")
async def priority(
    interaction: discord.Interaction[Any],
    role: discord.Role,
    weight: app_commands.Range[float, role_weights.LEAST, role_weights.MOST] | None = None,
) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        old = (await role_weights.weights(record.tx, desk.guild_id)).get(role.id, role_weights.USUAL)
        await role_weights.set_weight(record.tx, guild_id=desk.guild_id, role_id=role.id, weight=weight)
        await record.note(f"priority of <@&{role.id}>", old=f"{old:g}", new=f"{weight or role_weights.USUAL:g}")
    await desk.tell(texts.priority_is(role.id, weight or role_weights.USUAL))


@rules.command(name="default-model", description="Choose the model that draws when nobody names one")
@app_commands.describe(model="The model's name; leave out for the host's choice")
async def default_model(interaction: discord.Interaction[Any], model: str | None = None) -> None:
    desk = await opened(interaction)
    among_adults = age_restricted(interaction.channel)
    spec = orders.find_model(model, desk.services.catalogue, among_adults=among_adults) if model else None
    if spec is not None:
        desk.services.dispatcher.check_model(spec.key, among_adults=among_adults)
    async with desk.changing() as record:
        old = (await settings.settings(record.tx, desk.guild_id)).default_model
        await settings.set_default_model(record.tx, desk.guild_id, spec.key if spec else None)
        await record.note("default model", old=old, new=spec.key if spec else None)
    name = spec.name if spec else desk.services.catalogue[desk.services.default_model].name
    await desk.tell(texts.default_model_is(name))


@model.autocomplete("model")
@default_model.autocomplete("model")
async def _models(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    services: Services = interaction.client.services
    wanted = current.casefold()
    named = services.catalogue.named(among_adults=age_restricted(interaction.channel))
    return [
        app_commands.Choice(name=spec.name[:100], value=spec.key)
        for spec in named.values()
        if wanted in spec.key.casefold() or wanted in spec.name.casefold()
    ][:CHOICES]


FEATURE = Feature()
