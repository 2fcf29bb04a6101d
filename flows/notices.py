"""Who is told what: the automations of automations.yaml, made on the server without a click.

`python -m flows.notices` makes them on the server that PREFECT_API_URL names; `make serve` and `make schedule` do so too.
PIANISSIMO_NOTICES says where notices go: an https address that takes JSON ({"text": …}, as the webhooks of Slack and most chats
do), or TYPE/NAME of a notification block that exists on the server (`slack-webhook/on-call`, mail, whatever Prefect has).
"""

import asyncio
import os
import re
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML

ADDRESS = "PIANISSIMO_NOTICES"
ALLOWED = "https://… of a webhook, or TYPE/NAME of a notification block"
FILE = Path("automations.yaml")
BLOCK = "pianissimo"  # what the webhook is called on the server
PAYLOAD = {"text": "{{subject}}\n{{body}}", "subject": "{{subject}}", "body": "{{body}}"}


class NoticeError(ValueError):
    """PIANISSIMO_NOTICES is neither an address nor a block."""


def address() -> str:
    """Where notices go; empty where they go nowhere. Raises NoticeError for what is no place."""
    found = os.environ.get(ADDRESS, "")
    if found and not re.fullmatch(r"https?://\S+|[a-z0-9-]+/[a-z0-9-]+", found):
        raise NoticeError(f"{ADDRESS}: allowed: {ALLOWED}")
    return found


def shown(place: str) -> str:
    """An address without what is secret in it: a webhook's path is its password."""
    parts = urlsplit(place)
    return f"{parts.scheme}://{parts.hostname}" if parts.scheme else place


async def register(file: Path = FILE) -> list[str]:
    """Makes every automation of `file`, or brings it up to date; answers what was done, in words."""
    place = address()
    block = await _block(place) if place else None
    done = []
    for entry in YAML(typ="safe").load(file.read_text(encoding="utf-8"))["automations"]:
        notice = entry.pop("notice", None)
        if notice and block is None:
            done.append(f"{entry['name']}: not made, {ADDRESS} names no address")
            continue
        actions = [_sent(block, notice)] if notice else entry.pop("actions")
        await _made({**entry, "actions": actions})
        done.append(f"{entry['name']}: {f'notices go to {shown(place)}' if notice else entry['description']}")
    return done


def _sent(block: Any, notice: dict[str, str]) -> dict[str, Any]:
    return {"type": "send-notification", "block_document_id": str(block), **notice}


async def _block(place: str) -> Any:
    """The id of the block that sends."""
    from prefect.blocks.core import Block
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    if "://" not in place:
        try:
            found: Any = await Block.aload(place)
        except ValueError as error:
            raise NoticeError(f"{ADDRESS}: the server has no block {place}; allowed: {ALLOWED} that exists") from error
        return found._block_document_id
    made = CustomWebhookNotificationBlock(name=BLOCK, url=place, json_data=PAYLOAD)
    return await made.save(BLOCK, overwrite=True)


async def _made(entry: dict[str, Any]) -> None:
    from prefect.client.orchestration import get_client
    from prefect.events.schemas.automations import AutomationCore

    wanted = AutomationCore.model_validate(entry)
    async with get_client() as client:
        known = await client.read_automations_by_name(wanted.name)
        if known:
            await client.update_automation(known[0].id, wanted)
        else:
            await client.create_automation(wanted)


def main() -> int:
    """Says what was made; 2 where the address is none."""
    try:
        print("\n".join(asyncio.run(register())))
    except NoticeError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
