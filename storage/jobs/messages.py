"""Which posted messages show which job: the result, and single pictures posted later."""

from __future__ import annotations

from dataclasses import dataclass

from storage.database import Transaction
from storage.jobs.job import Job, as_job


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedMessage:
    """A message that shows a job's result: picture `image_index` (1-based), or None for all of them.

    `asked_by` is the person who had a single picture posted, who need not own the job.
    """

    message_id: int
    job_id: str
    image_index: int | None
    asked_by: int | None = None


async def add_message(
    tx: Transaction, message_id: int, job_id: str, image_index: int | None, *, asked_by: int | None = None
) -> None:
    """Remember that a message shows a job; `deliver` does so for the result itself."""
    await tx.execute(
        "INSERT OR REPLACE INTO messages (message_id, job_id, image_index, asked_by) VALUES (?, ?, ?, ?)",
        (message_id, job_id, image_index, asked_by),
    )


async def message(tx: Transaction, message_id: int) -> PostedMessage | None:
    """What a result message shows. A message that shows only progress is none."""
    row = await tx.fetch_one("SELECT * FROM messages WHERE message_id = ?", (message_id,))
    if row is None:
        return None
    return PostedMessage(
        message_id=message_id,
        job_id=row["job_id"],
        image_index=row["image_index"],
        asked_by=row["asked_by"],
    )


BY_MESSAGE = """
SELECT * FROM jobs WHERE id = (SELECT job_id FROM messages WHERE message_id = :message_id)
    OR progress_message_id = :message_id
LIMIT 1
"""


async def by_message(tx: Transaction, message_id: int) -> Job | None:
    """The job that a message shows, be it progress, the result or a single picture."""
    row = await tx.fetch_one(BY_MESSAGE, {"message_id": message_id})
    return None if row is None else as_job(row)


async def forget_message(tx: Transaction, message_id: int) -> None:
    """A message is gone from Discord: no job is shown by it any more."""
    job = await by_message(tx, message_id)
    if job is None:
        return
    await tx.execute("DELETE FROM messages WHERE message_id = ?", (message_id,))
    await tx.execute(
        "UPDATE jobs SET progress_message_id = nullif(progress_message_id, :message_id),"
        " result_message_id = nullif(result_message_id, :message_id) WHERE id = :job_id",
        {"message_id": message_id, "job_id": job.id},
    )


OF_JOB = """
SELECT message_id FROM messages WHERE job_id = :job_id
UNION SELECT progress_message_id FROM jobs WHERE id = :job_id AND progress_message_id IS NOT NULL
"""


async def of_job(tx: Transaction, job_id: str) -> list[int]:
    """The messages that show a job, its result, or one of its pictures, the oldest first."""
    return [row["message_id"] for row in await tx.fetch_all(OF_JOB, {"job_id": job_id})]


GROWN = """
WITH RECURSIVE grown (id) AS (
    SELECT id FROM jobs WHERE parent_id = :job_id
    UNION SELECT jobs.id FROM jobs JOIN grown ON jobs.parent_id = grown.id
)
SELECT jobs.* FROM jobs JOIN grown USING (id) WHERE result_message_id IS NOT NULL ORDER BY number
"""


async def grown_from(tx: Transaction, job_id: str) -> list[Job]:
    """The posted jobs that were made from a job's pictures, directly or not, the oldest first."""
    return [as_job(row) for row in await tx.fetch_all(GROWN, {"job_id": job_id})]
