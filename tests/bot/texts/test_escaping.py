"""Text that people wrote can't ping, link, format or hide anything when it is shown."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.texts.escaping import file_stem, inert, readable


@pytest.mark.parametrize(
    "text",
    [
        "@everyone", "@here", "<@1>", "<@!1>", "<@&1>", "<#1>", "</imagine:1>", "<t:1>", "<:a:1>",
        "https://evil.example", "http://a", "[fine](https://evil.example)", "discord.gg/abc", "discordapp.com/invite/x",
        "**bold**", "||spoiler||", "`code`", "# heading", "> quote", "~~gone~~", "__under__", "-# small", "\\*",
    ],
)  # fmt: skip
def test_nothing_in_it_stays_alive(text: str) -> None:
    _assert_dead(inert(text))


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_any_text_is_dead_and_short(text: str) -> None:
    shown = inert(text, limit=100)
    _assert_dead(shown)
    assert len(readable(text)) < 100 or len(shown) <= 100 * 3
    assert "\n" not in shown


def _assert_dead(shown: str) -> None:
    assert not re.search(r"@(?!\u200b)", shown)
    assert not re.search(r"<(?!\u200b)", shown)
    assert "://" not in shown
    assert not re.search(r"(?i)discord(app)?\.", shown)
    unescaped = re.sub(r"\\[\\*_~|`>\[\]()#-]", "", shown)
    assert not re.search(r"[*_~|`\[\]()#]", unescaped)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in shown)
    assert not any(c in shown for c in "\u202e\u2066\u200f")


def test_piled_up_marks_are_cut() -> None:
    assert readable("e" + "\u0301" * 50) == "e\u0301\u0301"


def test_emoji_of_several_parts_survive() -> None:
    assert readable("👩\u200d🎨 ❤\ufe0f") == "👩\u200d🎨 ❤\ufe0f"


def test_file_names_are_plain() -> None:
    assert file_stem("A café, at/../night!") == "A_cafe_at_night"
    assert file_stem("日本") == "easel"
