"""Every part of the running bot, built once by `app.py` and handed to whoever needs it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bot.delivery.delivery import Delivery
from bot.delivery.host_notices import HostNotices
from bot.jobs.dispatcher import Dispatcher
from bot.jobs.word_check import Moderation
from bot.pictures.inspection import Inspection
from bot.pictures.limiter import Limits
from bot.pictures.signing import Seal
from bot.settings.settings import Settings
from generation.catalogue import Catalogue
from generation.contract import Generator
from storage.database import Database
from storage.privacy.clock_check import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts of the running bot."""

    settings: Settings
    database: Database
    catalogue: Catalogue
    default_model: str
    generator: Generator
    dispatcher: Dispatcher
    delivery: Delivery
    moderation: Moderation
    withheld: Any
    seal: Seal
    limits: Limits
    inspection: Inspection
    clock: Callable[[], datetime]
    random: random.Random
    notices: HostNotices = field(default_factory=HostNotices)
    clock_watch: Watch = field(default_factory=Watch)
