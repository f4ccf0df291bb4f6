"""`/admin words list|block|allow|remove` and `/admin appeal`: what may not be asked for, and what people are told."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from bot.errors import BadRule
from bot.features.admin._group import CHOICES, Page, admin, is_admin, opened
from bot.interactions.feature import Feature
from bot.services import Services
from bot.texts import moderation
from bot.wordfilter.rules import LONGEST_RULE, Rule
from storage.guilds import settings, word_rules
from storage.guilds.settings import MAX_APPEAL
from storage.guilds.word_rules import MAX_RULES, TooManyRules, WordKind, WordRule

_Word = app_commands.Range[str, 1, LONGEST_RULE + 2]

words = app_commands.Group(name="words", description="Words that can't be used here", parent=admin)


@words.command(name="list", description="The server's word rules")
@app_commands.describe(page="From 1, where there are many")
async def list_(interaction: discord.Interaction[Any], page: Page = 1) -> None:
    desk = await opened(interaction)
    async with desk.services.database.reading() as tx:
        rules = await word_rules.word_rules(tx, desk.guild_id)
    await desk.tell(moderation.word_rules(rules, number=page))


@words.command(name="block", description="Refuse a word or phrase in prompts and everything else people enter")
@app_commands.describe(word="Whole words only; a * at an end stands for more letters: kill* is also killer")
async def block(interaction: discord.Interaction[Any], word: _Word) -> None:
    await _set(interaction, word, WordKind.BLOCK)


@words.command(name="allow", description="Let a word or phrase pass although a blocked one is in it")
@app_commands.describe(word="Like: kill bill, where kill is blocked")
async def allow(interaction: discord.Interaction[Any], word: _Word) -> None:
    await _set(interaction, word, WordKind.ALLOW)


async def _set(interaction: discord.Interaction[Any], word: str, kind: WordKind) -> None:
    desk = await opened(interaction)
    rule = WordRule(pattern=str(_parsed(word)), kind=kind)
    try:
        async with desk.changing() as record:
            before = await word_rules.set_word_rule(record.tx, desk.guild_id, rule)
            await record.note(f"word `{rule.pattern}`", old=before, new=kind)
    except TooManyRules:
        raise BadRule(f"A server can have {MAX_RULES} word rules. Remove one first.") from None
    await desk.tell(moderation.word_rule_set(rule))


@words.command(name="remove", description="Take a word rule away")
@app_commands.describe(word="The rule")
async def remove(interaction: discord.Interaction[Any], word: _Word) -> None:
    desk = await opened(interaction)
    pattern = str(_parsed(word))
    async with desk.changing() as record:
        before = await word_rules.remove_word_rule(record.tx, desk.guild_id, pattern)
        if before is None:
            raise BadRule("There is no such rule. `/admin words list` shows those there are.")
        await record.note(f"word `{pattern}`", old=before, new=None)
    await desk.tell(moderation.word_rule_removed(pattern))


@remove.autocomplete("word")
async def _rules(interaction: discord.Interaction[Any], current: str) -> list[app_commands.Choice[str]]:
    if not await is_admin(interaction):
        return []
    services: Services = interaction.client.services
    async with services.database.reading() as tx:
        rules = await word_rules.word_rules(tx, interaction.guild_id or 0)
    fitting = [rule for rule in rules if current.casefold().strip() in rule.pattern]
    return [app_commands.Choice(name=f"{rule.kind}: {rule.pattern}", value=rule.pattern) for rule in fitting[:CHOICES]]


def _parsed(word: str) -> Rule:
    try:
        return Rule.parse(word)
    except ValueError as error:
        raise BadRule(str(error)) from error


@admin.command(name="appeal", description="What people are told to do who find a refusal mistaken")
@app_commands.describe(text="Like: write to the moderators in #help; leave out to go back to the default")
async def appeal(
    interaction: discord.Interaction[Any], text: app_commands.Range[str, 1, MAX_APPEAL] | None = None
) -> None:
    desk = await opened(interaction)
    async with desk.changing() as record:
        old = (await settings.settings(record.tx, desk.guild_id)).appeal
        await settings.set_appeal(record.tx, desk.guild_id, text)
        await record.note("appeal", old=old, new=text)
    await desk.tell(moderation.appeal_is(text))


FEATURE = Feature(
    help=(
        "**/admin words** (admins) lists, blocks, allows and removes words; "
        "**/admin appeal** sets what people are told who find a refusal mistaken.",
    ),
)
