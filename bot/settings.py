"""The host's settings: read once at the start from the environment and `.env`, checked, and never changed.

Each field of `Settings` carries its `Variable`: the name, the help, the default and the check.
`.env.example`, the README's table and the errors are all held to that one description.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from bot import variables
from bot.env_file import read_env_file
from bot.variables import TOKEN_SHAPE, Variable
from generation.safety import UNSAFE_LABELS, SafetyCheck, read_source
from storage.periods import LONGEST_DAYS

PROJECT = Path(__file__).resolve().parent.parent
"""The folder that holds `easel`, `models.toml` and `.env`."""


class StartupError(Exception):
    """Easel can't start. Its text is one sentence that says why, and is all that the host sees."""


class SettingsError(StartupError):
    """A setting can't be read: the text names the variable, what was given and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the host chose. Paths are absolute; credits and counts are whole numbers."""

    discord_token: str | None = field(
        default=None,
        repr=False,
        metadata=variables.variable(
            "DISCORD_TOKEN",
            "The bot's token, from the Bot page of https://discord.com/developers/applications. "
            "Without one, Easel opens the playground in a browser.",
            variables.token,
            default="",
            allowed="a bot token (three parts joined by dots), from the Bot page of "
            "https://discord.com/developers/applications, not the client secret or the public key",
            secret=True,
        ),
    )
    data: Path = field(
        default=PROJECT / "data",
        metadata=variables.variable(
            "EASEL_DATA",
            "The folder that keeps the database and the pictures.",
            variables.path,
            default="data",
            allowed="a folder",
        ),
    )
    models: Path = field(
        default=PROJECT / "models.toml",
        metadata=variables.variable(
            "EASEL_MODELS",
            "The file that lists the models.",
            variables.path,
            default="models.toml",
            allowed="a file",
        ),
    )
    default_model: str | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_DEFAULT_MODEL",
            "The key of the model that draws when nobody names one. Empty: the models file's own default.",
            variables.model_key,
            default="",
            allowed="the key of a model, one word",
        ),
    )
    daily_credits: int = field(
        default=40,
        metadata=variables.variable(
            "EASEL_DAILY_CREDITS",
            "Credits that each person gets per day, until a server's admins say otherwise.",
            variables.whole_number(0, 1_000_000),
            default="40",
            allowed="a whole number from 0 to 1000000",
        ),
    )
    daily_ceiling: int | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_DAILY_CEILING",
            "Credits that everybody in all servers together may spend in a UTC day. Empty: no limit.",
            variables.whole_number(0, 1_000_000_000),
            default="",
            allowed="a whole number from 0 to 1000000000",
        ),
    )
    images: int = field(
        default=4,
        metadata=variables.variable(
            "EASEL_IMAGES",
            "Pictures in a grid.",
            variables.whole_number(1, 4),
            default="4",
            allowed="a whole number from 1 to 4",
        ),
    )
    max_waiting: int = field(
        default=10,
        metadata=variables.variable(
            "EASEL_MAX_WAITING",
            "Jobs that one person may have waiting in line.",
            variables.whole_number(1, 1000),
            default="10",
            allowed="a whole number from 1 to 1000",
        ),
    )
    max_running: int = field(
        default=3,
        metadata=variables.variable(
            "EASEL_MAX_RUNNING",
            "Jobs of one person that may be drawn at the same time, where there are several workers.",
            variables.whole_number(1, 1000),
            default="3",
            allowed="a whole number from 1 to 1000",
        ),
    )
    device: str = field(
        default="auto",
        metadata=variables.variable(
            "EASEL_DEVICE",
            "What draws: auto takes the GPU where there is one.",
            variables.device,
            default="auto",
            allowed="auto, cpu, cuda, cuda:0 (or another number) or mps",
        ),
    )
    allow_downloads: bool = field(
        default=False,
        metadata=variables.variable(
            "EASEL_ALLOW_DOWNLOADS",
            "Whether a model that somebody asks for may be downloaded then. `./easel imagine --model` always may.",
            variables.yes_or_no,
            default="no",
            allowed="yes or no",
        ),
    )
    keep_pictures_days: int = variables.keep(
        365, "EASEL_KEEP_PICTURES_DAYS", "Days for which pictures are kept."
    )
    keep_prompts_days: int = variables.keep(
        365,
        "EASEL_KEEP_PROMPTS_DAYS",
        "Days for which prompts are kept, and with them the jobs and pictures.",
    )
    keep_credits_days: int = variables.keep(
        365,
        "EASEL_KEEP_CREDITS_DAYS",
        "Days for which entries about people's credits are kept; what they have left stays theirs.",
        least=LONGEST_DAYS,
    )
    keep_changes_days: int = variables.keep(
        365,
        "EASEL_KEEP_CHANGES_DAYS",
        "Days for which the records of what admins changed are kept, with their reasons.",
    )
    keep_moderation_days: int = variables.keep(
        90,
        "EASEL_KEEP_MODERATION_DAYS",
        "Days for which refusals, timeouts that are over, and reports that were decided are kept.",
    )
    owners: frozenset[int] = field(
        default=frozenset(),
        metadata=variables.variable(
            "EASEL_OWNERS",
            "The Discord ids of those who run the whole bot, beside the application's owner: they may pause, clear and "
            "ban in all servers at once.",
            variables.ids,
            default="",
            allowed="Discord ids, separated by commas",
        ),
    )
    blocked_words: tuple[str, ...] | Path = field(
        default=(),
        metadata=variables.variable(
            "EASEL_BLOCKED_WORDS",
            "Words that are refused in every server, like `gore, kill*`, or a file with one in each line.",
            variables.words,
            default="",
            allowed="words with commas between them, or the path of a file",
        ),
    )
    allowed_words: tuple[str, ...] | Path = field(
        default=(),
        metadata=variables.variable(
            "EASEL_ALLOWED_WORDS",
            "Words that pass although one of EASEL_BLOCKED_WORDS is in them, like `kill bill`, or a file.",
            variables.words,
            default="",
            allowed="words with commas between them, or the path of a file",
        ),
    )
    timeout_after: int = field(
        default=5,
        metadata=variables.variable(
            "EASEL_TIMEOUT_AFTER",
            "Refused words within EASEL_TIMEOUT_MINUTES that lead to a timeout of as many minutes. 0: never.",
            variables.whole_number(0, 1000),
            default="5",
            allowed="a whole number from 0 to 1000",
        ),
    )
    timeout_minutes: int = field(
        default=10,
        metadata=variables.variable(
            "EASEL_TIMEOUT_MINUTES",
            "How long refusals count, and how long a timeout lasts.",
            variables.whole_number(1, 10080),
            default="10",
            allowed="a whole number from 1 to 10080",
        ),
    )
    safety_model: str | Path | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_SAFETY_MODEL",
            "An image classifier that looks at every result before it is shown: a Hugging Face repository, `@` and a "
            "revision to pin one, or a folder. Empty: no check.",
            read_source,
            default="",
            allowed="a repository like Falconsai/nsfw_image_detection, or a folder that begins with ./, ~ or /",
        ),
    )
    safety_labels: tuple[str, ...] = field(
        default=UNSAFE_LABELS,
        metadata=variables.variable(
            "EASEL_SAFETY_LABELS",
            "The classifier's labels that mean unsafe, in any case.",
            variables.labels,
            default=", ".join(UNSAFE_LABELS),
            allowed="words with commas between them",
        ),
    )
    safety_threshold: float = field(
        default=0.5,
        metadata=variables.variable(
            "EASEL_SAFETY_THRESHOLD",
            "From which probability of these labels together a picture is unsafe. Less is stricter.",
            variables.probability,
            default="0.5",
            allowed="a number above 0, at most 1",
        ),
    )
    c2pa_certificate: Path | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_C2PA_CERTIFICATE",
            "The PEM file of a certificate and its chain, with which pictures are signed (C2PA). Empty: they are not.",
            variables.path,
            default="",
            allowed="a file",
        ),
    )
    c2pa_key: Path | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_C2PA_KEY",
            "The PEM file of that certificate's private key.",
            variables.path,
            default="",
            allowed="a file",
        ),
    )
    c2pa_timestamp_url: str | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_C2PA_TIMESTAMP_URL",
            "The address of a time stamp authority (RFC 3161), so that signatures outlive the certificate. It gets a hash "
            "of each. Empty: no time stamps.",
            variables.web_address,
            default="",
            allowed="an address that begins with http:// or https://",
        ),
    )
    c2pa_trust: Path | None = field(
        default=None,
        metadata=variables.variable(
            "EASEL_C2PA_TRUST",
            "The PEM file of the issuers whose signatures `/describe` calls trusted. Empty: none are.",
            variables.path,
            default="",
            allowed="a file",
        ),
    )
    playground_port: int = field(
        default=8017,
        metadata=variables.variable(
            "EASEL_PLAYGROUND_PORT",
            "The playground's port on this machine. 0 takes any free one.",
            variables.whole_number(0, 65535),
            default="8017",
            allowed="a port from 0 to 65535",
        ),
    )
    log_level: str = field(
        default="info",
        metadata=variables.variable(
            "EASEL_LOG_LEVEL",
            "How much is logged. Prompts are logged at debug only.",
            variables.one_of("debug", "info", "warning", "error"),
            default="info",
            allowed="debug, info, warning or error",
        ),
    )
    log_format: str = field(
        default="auto",
        metadata=variables.variable(
            "EASEL_LOG_FORMAT",
            "How the log is written: auto is readable in a terminal and JSON elsewhere.",
            variables.one_of("auto", "console", "json"),
            default="auto",
            allowed="auto, console or json",
        ),
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
        return SafetyCheck(
            source=self.safety_model, labels=self.safety_labels, threshold=self.safety_threshold
        )

    @property
    def heartbeat(self) -> Path:
        """The file that a running bot touches every 15 seconds."""
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
            near = variables.nearest(name, known)
            raise SettingsError(f"{name} in {where} is not a setting of Easel: did you mean {near}?")
