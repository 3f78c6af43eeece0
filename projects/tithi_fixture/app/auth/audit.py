"""A line in the log for each access decision that somebody may ask about later."""

import logging
import uuid

logger = logging.getLogger("tithi.audit")


def record_denied(user_id: uuid.UUID, permission: str, *, tenant_id: uuid.UUID, role: str | None) -> None:
    logger.warning("denied %s to %s (%s) in %s", permission, user_id, role or "no member", tenant_id)


def record_granted(user_id: uuid.UUID, permission: str, *, tenant_id: uuid.UUID) -> None:
    logger.info("granted %s to %s in %s", permission, user_id, tenant_id)
