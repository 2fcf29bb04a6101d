"""What a person may choose in Prefect's page, with the words beside each field."""

from typing import Annotated, Literal

from pydantic import Field

import models

# A plain text to the flow, a list to choose from to whoever starts it by hand.
Choice = Annotated[str, Field(json_schema_extra={"enum": list(models.names())})]
Stage = Literal["prepare", "train", "distill", "prune", "quantize", "convert", "validate", "gate", "publish"]
AtOnce = Annotated[int, Field(ge=1, le=64)]
