"""The host's settings: read once at the start from the environment and `.env`, checked, and never changed.

Each field of `Settings` carries its `Variable`: the name, the help, the default and the check.
`.env.example`, the README's table and the errors are all held to that one description.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot.settings import readers
from bot.settings.env_file import read_env_file
from bot.settings.readers import TOKEN_SHAPE, Variable
from generation.safety_settings import UNSAFE_LABELS, SafetyCheck, read_source
from storage.credits.calendar import LONGEST_DAYS
from storage.credits.host import Host
from storage.files import snapshots

_CLASSIFIER = readers.Reader(
    read_source, "a repository like Falconsai/nsfw_image_detection, or a folder that begins with ./, ~ or /"
)

PROJECT = Path(__file__).resolve().parents[2]
"""The folder that holds `easel`, `models.toml` and `.env`."""


class StartupError(Exception):
    """Easel can't start. Its text is one sentence that says why, and is all that the host sees."""


class BotStopped(StartupError):
    """Easel ran and can't go on. Its text is one sentence that says why."""


class SettingsError(StartupError):
    """A setting can't be read: the text names the variable, what was given and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the host chose. Paths are absolute; credits and counts are whole numbers."""

    discord_token: str | None = readers.setting(
        None,
        "DISCORD_TOKEN",
        readers.TOKEN,
        "The bot's token, from the Bot page of https://discord.com/developers/applications. "
        "Without one, Easel opens the playground in a browser.",
        secret=True,
    )
    data: Path = readers.setting(
        PROJECT / "data",
        "EASEL_DATA",
        readers.FOLDER,
        "The folder that keeps the database and the pictures.",
        shown="data",
    )
    models: Path = readers.setting(
        PROJECT / "models.toml",
        "EASEL_MODELS",
        readers.FILE,
        "The file that lists the models.",
        shown="models.toml",
    )
    default_model: str | None = readers.setting(
        None,
        "EASEL_DEFAULT_MODEL",
        readers.MODEL_KEY,
        "The key of the model that draws when nobody names one. Empty: the models file's own default.",
    )
    daily_credits: int = readers.setting(
        40,
        "EASEL_DAILY_CREDITS",
        readers.whole_number(0, 1_000_000),
        "Credits that each person gets per day, until a server's admins say otherwise.",
    )
    daily_ceiling: int | None = readers.setting(
        None,
        "EASEL_DAILY_CEILING",
        readers.whole_number(0, 1_000_000_000),
        "Credits that everybody in all servers together may spend in a UTC day. Empty: no limit.",
    )
    images: int = readers.setting(4, "EASEL_IMAGES", readers.whole_number(1, 4), "Pictures in a grid.")
    max_waiting: int = readers.setting(
        10,
        "EASEL_MAX_WAITING",
        readers.whole_number(1, 1000),
        "Jobs that one person may have waiting in line.",
    )
    max_running: int = readers.setting(
        3,
        "EASEL_MAX_RUNNING",
        readers.whole_number(1, 1000),
        "Jobs of one person that may be drawn at the same time, if there are several workers.",
    )
    device: str = readers.setting(
        "auto", "EASEL_DEVICE", readers.DEVICE, "What draws: auto takes the GPU if there is one."
    )
    allow_downloads: bool = readers.setting(
        False,
        "EASEL_ALLOW_DOWNLOADS",
        readers.YES_OR_NO,
        "Whether a model that somebody asks for may be downloaded then. `./easel imagine --model` always may.",
    )
    keep_pictures_days: int = readers.keep(365, "EASEL_KEEP_PICTURES_DAYS", "Days for which pictures are kept.")
    keep_prompts_days: int = readers.keep(
        365,
        "EASEL_KEEP_PROMPTS_DAYS",
        "Days for which prompts are kept, and with them the jobs and pictures.",
    )
    keep_credits_days: int = readers.keep(
        365,
        "EASEL_KEEP_CREDITS_DAYS",
        "Days for which entries about people's credits are kept; what they have left stays theirs.",
        least=LONGEST_DAYS,
    )
    keep_changes_days: int = readers.keep(
        365,
        "EASEL_KEEP_CHANGES_DAYS",
        "Days for which the records of what admins changed are kept, with their reasons.",
    )
    keep_moderation_days: int = readers.keep(
        90,
        "EASEL_KEEP_MODERATION_DAYS",
        "Days for which refusals, timeouts that are over, and reports that were decided are kept.",
    )
    keep_quarantine_days: int = readers.keep(
        30,
        "EASEL_KEEP_QUARANTINE_DAYS",
        "Days for which picture files that the database doesn't know are kept in quarantine.",
    )
    backup_folder: Path | None = readers.setting(
        None,
        "EASEL_BACKUP_FOLDER",
        readers.FOLDER,
        "The folder that backups are made in, best on another disk. Empty: `backups` in EASEL_DATA.",
    )
    backup_daily: int = readers.setting(
        0,
        "EASEL_BACKUP_DAILY",
        readers.whole_number(0, 1000),
        "How many daily backups are kept; with each new one, the oldest is deleted. 0: none are made.",
    )
    owners: frozenset[int] = readers.setting(
        frozenset(),
        "EASEL_OWNERS",
        readers.IDS,
        "The Discord ids of those who run the whole bot, beside the application's owner: they may pause, clear and "
        "ban in all servers at once.",
    )
    servers: frozenset[int] = readers.setting(
        frozenset(),
        "EASEL_SERVERS",
        readers.IDS,
        "The ids of the servers in which Easel works; it leaves every other that it is invited to. Empty: all.",
    )
    server_weights: tuple[tuple[int, float], ...] = readers.setting(
        (),
        "EASEL_SERVER_WEIGHTS",
        readers.SERVER_WEIGHTS,
        "Servers' shares of the GPU while several wait, like 1234567890123456789=2. All others have 1.",
    )
    monthly_grants: int | None = readers.setting(
        None,
        "EASEL_MONTHLY_GRANTS",
        readers.whole_number(0, 1_000_000_000),
        "The most credits that a server's admins may give out in a UTC month. With it, no allowance may be more than "
        "EASEL_DAILY_CREDITS. Empty: no limit.",
    )
    blocked_words: tuple[str, ...] | Path = readers.setting(
        (),
        "EASEL_BLOCKED_WORDS",
        readers.WORDS,
        "Words that are refused in every server, like `gore, kill*`, or a file with one in each line.",
    )
    allowed_words: tuple[str, ...] | Path = readers.setting(
        (),
        "EASEL_ALLOWED_WORDS",
        readers.WORDS,
        "Words that pass although one of EASEL_BLOCKED_WORDS is in them, like `kill bill`, or a file.",
    )
    timeout_after: int = readers.setting(
        5,
        "EASEL_TIMEOUT_AFTER",
        readers.whole_number(0, 1000),
        "Refused words within EASEL_TIMEOUT_MINUTES that lead to a timeout of as many minutes. 0: never.",
    )
    timeout_minutes: int = readers.setting(
        10,
        "EASEL_TIMEOUT_MINUTES",
        readers.whole_number(1, 10080),
        "How long refusals count, and how long a timeout lasts.",
    )
    safety_model: str | Path | None = readers.setting(
        None,
        "EASEL_SAFETY_MODEL",
        _CLASSIFIER,
        "An image classifier that looks at every result before it is shown: a Hugging Face repository, `@` and a "
        "revision to pin one, or a folder. Empty: no check.",
    )
    safety_labels: tuple[str, ...] = readers.setting(
        UNSAFE_LABELS,
        "EASEL_SAFETY_LABELS",
        readers.LABELS,
        "The classifier's labels that mean unsafe, in any case.",
    )
    safety_threshold: float = readers.setting(
        0.5,
        "EASEL_SAFETY_THRESHOLD",
        readers.PROBABILITY,
        "A picture is unsafe if these labels together have at least this probability. Less is stricter.",
    )
    c2pa_certificate: Path | None = readers.setting(
        None,
        "EASEL_C2PA_CERTIFICATE",
        readers.FILE,
        "The PEM file of a certificate and its chain, with which pictures are signed (C2PA). Empty: they are not.",
    )
    c2pa_key: Path | None = readers.setting(
        None, "EASEL_C2PA_KEY", readers.FILE, "The PEM file of that certificate's private key."
    )
    c2pa_timestamp_url: str | None = readers.setting(
        None,
        "EASEL_C2PA_TIMESTAMP_URL",
        readers.WEB_ADDRESS,
        "The address of a time stamp authority (RFC 3161), so that signatures outlive the certificate. It gets a hash "
        "of each. Empty: no time stamps.",
    )
    c2pa_trust: Path | None = readers.setting(
        None,
        "EASEL_C2PA_TRUST",
        readers.FILE,
        "The PEM file of the issuers whose signatures `/describe` calls trusted. Empty: none are.",
    )
    playground_port: int = readers.setting(
        8017,
        "EASEL_PLAYGROUND_PORT",
        readers.whole_number(0, 65535),
        "The playground's port on this machine. 0 takes any free one.",
    )
    metrics_port: int | None = readers.setting(
        None,
        "EASEL_METRICS_PORT",
        readers.whole_number(0, 65535),
        "The port of a page with the bot's health (`/healthz`) and numbers for Prometheus (`/metrics`). 0 takes any "
        "free one. Empty: there is no such page.",
    )
    metrics_host: str = readers.setting(
        "127.0.0.1",
        "EASEL_METRICS_HOST",
        readers.IP_ADDRESS,
        "The address of this machine that the page listens on. It has no password: with 0.0.0.0, everybody who "
        "reaches this machine can read how much is drawn and what fails.",
    )
    log_level: str = readers.setting(
        "info",
        "EASEL_LOG_LEVEL",
        readers.one_of("debug", "info", "warning", "error"),
        "How much is logged. Prompts are logged at debug only.",
    )
    log_format: str = readers.setting(
        "auto",
        "EASEL_LOG_FORMAT",
        readers.one_of("auto", "console", "json"),
        "How the log is written: auto is readable in a terminal and JSON elsewhere.",
    )

    @classmethod
    def load(cls, env: Mapping[str, str], env_file: Path) -> Settings:
        """Settings from `env` and, for what it does not name, from `env_file`, which may be missing.

        Relative paths are taken from the folder of `env_file`; an empty value means the default.
        Raises SettingsError.
        """
        try:
            from_file = read_env_file(env_file)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        _refuse_unknown(env, prefixes=("EASEL_",), where="the environment")
        _refuse_unknown(from_file, prefixes=("EASEL_", "DISCORD_"), where=str(env_file))
        given = {**from_file, **env}
        values: dict[str, Any] = {"data": env_file.parent.absolute() / "data"}
        for name, variable in _variables():
            if text := given.get(variable.name, "").strip():
                value = _read(variable, text)
                values[name] = env_file.parent.absolute() / value if isinstance(value, Path) else value
        return cls(**values)

    @property
    def safety(self) -> SafetyCheck | None:
        """The check of results that the host wants, if any."""
        if self.safety_model is None:
            return None
        return SafetyCheck(source=self.safety_model, labels=self.safety_labels, threshold=self.safety_threshold)

    @property
    def host_credits(self) -> Host:
        """What the host grants to members, and to the admins of each server."""
        return Host(daily=self.daily_credits, monthly=self.monthly_grants)

    @property
    def timeout(self) -> timedelta:
        """How long refusals count, and how long a timeout lasts."""
        return timedelta(minutes=self.timeout_minutes)

    @property
    def backups(self) -> Path:
        """The folder that backups are made in."""
        return self.backup_folder or self.data / snapshots.FOLDER

    @property
    def heartbeat(self) -> Path:
        """The file that a running bot writes every 15 seconds."""
        return self.data / "heartbeat"

    def model_among(self, keys: Collection[str], otherwise: str) -> str:
        """The key of the model that draws when nobody names one. Raises SettingsError for an unknown one."""
        if self.default_model is None:
            return otherwise
        if self.default_model not in keys:
            raise SettingsError(
                f'EASEL_DEFAULT_MODEL is "{self.default_model}", but it must be a model of {self.models}: '
                f"{', '.join(keys)}."
            )
        return self.default_model


def describe() -> list[Variable]:
    """Every setting, in the order in which `.env.example` and the README list them."""
    return [variable for _, variable in _variables()]


def _variables() -> Iterator[tuple[str, Variable]]:
    for each in fields(Settings):
        yield each.name, each.metadata["variable"]


def _read(variable: Variable, text: str) -> Any:
    try:
        return variable.read(text)
    except ValueError:
        pass  # raised anew below, so that the original, which may quote a secret, is not attached
    if variable.secret or TOKEN_SHAPE.search(text):
        raise SettingsError(f"{variable.name} does not look right: it must be {variable.allowed}.")
    raise SettingsError(f'{variable.name} is "{text[:60]}", but it must be {variable.allowed}.')


def _refuse_unknown(given: Mapping[str, str], *, prefixes: tuple[str, ...], where: str) -> None:
    known = [variable.name for variable in describe()]
    for name in given:
        if name.startswith(prefixes) and name not in known:
            near = readers.nearest(name, known)
            raise SettingsError(f"{name} in {where} is not a setting of Easel: did you mean {near}?")
