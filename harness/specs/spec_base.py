"""What all parts of a suite are made of. Frozen, typed, and strict about unknown keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from harness.files import content_digest


def _no_bool(value: Any) -> Any:
    # YAML reads a bare `yes` as true, which would pass for the number 1
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


Integer = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool)]
PositiveFloat = Annotated[Number, Field(gt=0)]
PositiveInt = Annotated[Integer, Field(ge=1)]
Share = Annotated[Number, Field(ge=0, lt=1)]
FinetuneLayers = Annotated[Integer, Field(ge=0)] | Literal["all"]
Handling = Literal["refuse", "exclude", "keep"]
DtypeName = Literal["float32", "bf16", "fp16"]
Precision = Literal["auto", DtypeName]
FramesChoice = Literal["auto", "off", DtypeName]
"""How frames of frozen layers are kept: in the trial's own precision, not at all, or as stated."""
FrozenMode = Literal["eval", "train"]
Tracker = Literal["wandb", "tensorboard", "mlflow"]


class Spec(BaseModel):
    """Base of all suite parts: immutable, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __hash__(self) -> int:
        """Of the content, which may hold mappings; equal specs hash alike."""
        return hash(content_digest(self.model_dump(mode="json")))
