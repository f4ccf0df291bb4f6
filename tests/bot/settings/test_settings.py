"""The settings: what may be given, what is refused and how, and that `.env.example` tells the same story."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest
from dotenv import dotenv_values

from bot.settings.settings import PROJECT, Settings, SettingsError, describe

TOKEN = "MTE0NTE0MTkxOTgxMDg5MzgxMA.GaBcDe.q-Zx_" + "9" * 33
"""Shaped like a bot's token, and nobody's."""


def load(tmp_path: Path, text: str = "", **env: str) -> Settings:
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    return Settings.load(env, tmp_path / ".env")


def refusal(tmp_path: Path, text: str = "", **env: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text, **env)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert sentence.endswith((".", "?"))
    return sentence


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    settings = Settings.load({"PATH": "/bin"}, tmp_path / "missing.env")

    assert settings == Settings(data=tmp_path / "data")
    assert settings.discord_token is None
    assert settings.models == PROJECT / "models.toml"


def test_every_variable_is_read_from_the_file(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        f"""
        # A comment, and `export` as shells want it.
        export DISCORD_TOKEN={TOKEN}
        EASEL_DATA=elsewhere/data
        EASEL_MODELS=/etc/easel/models.toml
        EASEL_DEFAULT_MODEL="sdxl"
        EASEL_DAILY_CREDITS=0
        EASEL_IMAGES=1  # one at a time
        EASEL_MAX_WAITING=1000
        EASEL_DEVICE=CUDA:1
        EASEL_ALLOW_DOWNLOADS=No
        EASEL_SERVERS=100000000000000001, 100000000000000002
        EASEL_SERVER_WEIGHTS="100000000000000001 = 2, 100000000000000002=0.5"
        EASEL_MONTHLY_GRANTS=500
        EASEL_BACKUP_FOLDER=/mnt/nas/easel
        EASEL_BACKUP_DAILY=14
        EASEL_BLOCKED_WORDS="Gore, KILL*,"
        EASEL_ALLOWED_WORDS=words/allowed.txt
        EASEL_TIMEOUT_AFTER=0
        EASEL_TIMEOUT_MINUTES=60
        EASEL_SAFETY_MODEL=./nsfw
        EASEL_SAFETY_LABELS="NSFW, sexy,"
        EASEL_SAFETY_THRESHOLD=.25
        EASEL_C2PA_CERTIFICATE=keys/chain.pem
        EASEL_C2PA_KEY=/etc/easel/key.pem
        EASEL_C2PA_TIMESTAMP_URL=http://stamps.example:3161/tsa
        EASEL_C2PA_TRUST=keys/issuers.pem
        EASEL_PLAYGROUND_PORT=0
        EASEL_METRICS_PORT=9100
        EASEL_METRICS_HOST=::1
        EASEL_LOG_LEVEL=Debug
        EASEL_LOG_FORMAT=json
        """,
    )

    assert settings == Settings(
        discord_token=TOKEN,
        data=tmp_path / "elsewhere" / "data",
        models=Path("/etc/easel/models.toml"),
        default_model="sdxl",
        daily_credits=0,
        images=1,
        max_waiting=1000,
        device="cuda:1",
        allow_downloads=False,
        servers=frozenset({10**17 + 1, 10**17 + 2}),
        server_weights=((10**17 + 1, 2.0), (10**17 + 2, 0.5)),
        monthly_grants=500,
        backup_folder=Path("/mnt/nas/easel"),
        backup_daily=14,
        blocked_words=("gore", "kill*"),
        allowed_words=tmp_path / "words" / "allowed.txt",
        timeout_after=0,
        timeout_minutes=60,
        safety_model=tmp_path / "nsfw",
        safety_labels=("NSFW", "sexy"),
        safety_threshold=0.25,
        c2pa_certificate=tmp_path / "keys" / "chain.pem",
        c2pa_key=Path("/etc/easel/key.pem"),
        c2pa_timestamp_url="http://stamps.example:3161/tsa",
        c2pa_trust=tmp_path / "keys" / "issuers.pem",
        playground_port=0,
        metrics_port=9100,
        metrics_host="::1",
        log_level="debug",
        log_format="json",
    )


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    assert load(tmp_path, "EASEL_IMAGES=1", EASEL_IMAGES="2").images == 2


def test_an_empty_value_means_the_default_and_hides_the_file(tmp_path: Path) -> None:
    assert load(tmp_path, "EASEL_IMAGES=").images == 4
    assert load(tmp_path, f"DISCORD_TOKEN={TOKEN}", DISCORD_TOKEN="").discord_token is None


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfEASEL_IMAGES=2\r\nEASEL_DEVICE=cpu\r\n")

    settings = Settings.load({}, tmp_path / ".env")

    assert (settings.images, settings.device) == (2, "cpu")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EASEL_DAILY_CREDITS", "-1"),
        ("EASEL_METRICS_PORT", "65536"),
        ("EASEL_METRICS_HOST", "localhost"),
        ("EASEL_METRICS_HOST", "1.2.3"),
        ("EASEL_DAILY_CREDITS", "1000001"),
        ("EASEL_DAILY_CREDITS", "forty"),
        ("EASEL_DAILY_CREDITS", "4.5"),
        ("EASEL_DAILY_CREDITS", "٤٠"),
        ("EASEL_DAILY_CREDITS", "9" * 5000),
        ("EASEL_IMAGES", "0"),
        ("EASEL_IMAGES", "5"),
        ("EASEL_MAX_WAITING", "0"),
        ("EASEL_SERVERS", "my server"),
        ("EASEL_SERVER_WEIGHTS", "100000000000000001"),
        ("EASEL_SERVER_WEIGHTS", "100000000000000001=0"),
        ("EASEL_SERVER_WEIGHTS", "100000000000000001=10.5"),
        ("EASEL_SERVER_WEIGHTS", "=2"),
        ("EASEL_SERVER_WEIGHTS", "100000000000000001=2,"),
        ("EASEL_MONTHLY_GRANTS", "-1"),
        ("EASEL_DEVICE", "gpu"),
        ("EASEL_BLOCKED_WORDS", "fox, **"),
        ("EASEL_DEVICE", "cuda:x"),
        ("EASEL_ALLOW_DOWNLOADS", "maybe"),
        ("EASEL_PLAYGROUND_PORT", "65536"),
        ("EASEL_LOG_LEVEL", "verbose"),
        ("EASEL_LOG_FORMAT", "xml"),
        ("EASEL_DEFAULT_MODEL", "two words"),
        ("EASEL_SAFETY_MODEL", "nsfw"),
        ("EASEL_SAFETY_LABELS", ","),
        ("EASEL_SAFETY_THRESHOLD", "0"),
        ("EASEL_SAFETY_THRESHOLD", "1.5"),
        ("EASEL_SAFETY_THRESHOLD", "half"),
        ("EASEL_SAFETY_THRESHOLD", "."),
        ("EASEL_DATA", "~nobody-of-this-name/data"),
        ("EASEL_C2PA_TIMESTAMP_URL", "stamps.example"),
        ("EASEL_C2PA_TIMESTAMP_URL", "ftp://stamps.example"),
        ("EASEL_C2PA_TIMESTAMP_URL", "http://host:password@stamps.example"),
        ("EASEL_C2PA_TIMESTAMP_URL", "http://[stamps"),
    ],
)
def test_a_bad_value_is_refused_with_what_is_allowed(tmp_path: Path, name: str, value: str) -> None:
    sentence = refusal(tmp_path, **{name: value})

    allowed = next(each.allowed for each in describe() if each.name == name)
    assert sentence == f'{name} is "{value[:60]}", but it must be {allowed}.'


@pytest.mark.parametrize(
    "written", [f"  {TOKEN} ", f'"{TOKEN}"', f"'{TOKEN}'", f"Bot {TOKEN}", f'" bot  {TOKEN}"', f"`{TOKEN}`"]
)
def test_what_is_pasted_along_with_a_token_is_trimmed(tmp_path: Path, written: str) -> None:
    assert load(tmp_path, DISCORD_TOKEN=written).discord_token == TOKEN


@pytest.mark.parametrize(
    "wrong",
    ["abc", "114514191981089381", "f" * 64, TOKEN.replace(".", ""), f"{TOKEN} {TOKEN}", TOKEN + "\n\tx"],
)
def test_a_malformed_token_is_refused_and_not_repeated(tmp_path: Path, wrong: str) -> None:
    sentence = refusal(tmp_path, DISCORD_TOKEN=wrong)

    assert sentence.startswith("DISCORD_TOKEN does not look right")
    assert wrong not in sentence


def test_a_token_in_the_wrong_place_is_not_repeated(tmp_path: Path) -> None:
    assert TOKEN not in refusal(tmp_path, EASEL_IMAGES=TOKEN)
    assert TOKEN not in refusal(tmp_path, f"EASEL_IMAGES=2\n\n\n{TOKEN}\n")


def test_a_token_never_shows_in_the_settings_text(tmp_path: Path) -> None:
    settings = load(tmp_path, DISCORD_TOKEN=TOKEN)

    assert TOKEN not in repr(settings)
    assert TOKEN not in str(settings)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("EASEL_IMAGE", "EASEL_IMAGES"),
        ("EASEL_CREDITS", "EASEL_DAILY_CREDITS"),
        ("EASEL_PORT", "EASEL_PLAYGROUND_PORT or EASEL_METRICS_PORT"),
        ("EASEL_GROUND_PORT", "EASEL_PLAYGROUND_PORT"),
        ("EASEL_LOGLEVEL", "EASEL_LOG_LEVEL"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_known(tmp_path: Path, wrong: str, right: str) -> None:
    assert refusal(tmp_path, **{wrong: "1"}).endswith(f"did you mean {right}?")
    assert refusal(tmp_path, f"{wrong}=1").endswith(f"did you mean {right}?")


def test_a_misspelt_token_in_the_file_does_not_start_the_playground(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, f"DISCORD_BOT_TOKEN={TOKEN}")

    assert sentence.endswith("did you mean DISCORD_TOKEN?")
    assert TOKEN not in sentence


def test_other_variables_are_nobody_s_business(tmp_path: Path) -> None:
    assert load(tmp_path, "HF_HOME=/models\n", DISCORD_WEBHOOK="x", HOME="/root").images == 4


@pytest.mark.parametrize(
    ("text", "line"),
    [("EASEL_IMAGES=2\nnonsense\n", 2), ("\n\n# x\n\nnonsense", 5), ('EASEL_DATA="never closed\n', 1)],
)
def test_a_line_that_is_no_setting_is_named_by_its_number(tmp_path: Path, text: str, line: int) -> None:
    assert refusal(tmp_path, text).startswith(f"Line {line} of ")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("EASEL_IMAGES=2".encode("utf-16"))
    with pytest.raises(SettingsError, match="save it as UTF-8"):
        Settings.load({}, tmp_path / ".env")


def test_a_folder_in_the_file_s_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="can't be read"):
        Settings.load({}, tmp_path)


def test_the_default_model_is_one_of_the_catalogue_s(tmp_path: Path) -> None:
    assert Settings().model_among(["easel", "sdxl"], "easel") == "easel"
    assert load(tmp_path, EASEL_DEFAULT_MODEL="sdxl").model_among(["easel", "sdxl"], "easel") == "sdxl"
    with pytest.raises(SettingsError, match=r'EASEL_DEFAULT_MODEL is "flux".*: easel, sdxl\.'):
        load(tmp_path, EASEL_DEFAULT_MODEL="flux").model_among(["easel", "sdxl"], "easel")


def test_settings_never_change() -> None:
    with pytest.raises(FrozenInstanceError):
        Settings().images = 2  # type: ignore[misc]


def test_every_field_is_described_and_its_default_is_the_one_described(tmp_path: Path) -> None:
    assert len({each.name for each in describe()}) == len(fields(Settings))
    written = "\n".join(f"{each.name}={each.default}" for each in describe())

    # The models file is looked for beside the project, which is where `.env` lies outside of tests.
    assert load(tmp_path, written) == Settings(data=tmp_path / "data", models=tmp_path / "models.toml")


def test_the_example_lists_every_setting_with_its_help_and_its_default() -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")
    words = " ".join(re.sub(r"^# ", "", line) for line in example.splitlines())
    uncommented = re.sub(r"^#(?=[A-Z0-9_]+=)", "", example, flags=re.MULTILINE)

    assert [(each.name, each.default) for each in describe()] == re.findall(
        r"^([A-Z0-9_]+)=(.*)$", uncommented, flags=re.MULTILINE
    )
    for each in describe():
        assert each.help in words
        assert each.secret or f"Allowed: {each.allowed}." in words


def test_the_example_copied_as_it_is_changes_nothing(tmp_path: Path) -> None:
    example = (PROJECT / ".env.example").read_text(encoding="utf-8")

    assert load(tmp_path, example) == Settings(data=tmp_path / "data")
    assert set(dotenv_values(tmp_path / ".env").values()) == {""}
