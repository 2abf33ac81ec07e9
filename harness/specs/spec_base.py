"""What all parts of a suite are made of. Frozen, typed, and strict about unknown keys."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError

from harness.files import content_digest


def _no_bool(value: Any) -> Any:
    # YAML reads a bare `yes` as true, which would pass for the number 1
    if isinstance(value, bool):
        raise PydanticKnownError("float_type")
    return value


def _file_name(value: str) -> str:
    if not _FILE_NAME.fullmatch(value):
        raise ValueError(
            "needs a name of at most 100 characters, without / and \\, that begins with no dot"
        )
    return value


def _path(value: str) -> str:
    if "\0" in value or any(len(part.encode()) > LONGEST_PART for part in value.split("/")):
        raise ValueError(f"needs a path whose parts have at most {LONGEST_PART} characters each")
    return value


LONGEST_PART = 255
"""Bytes of a file's name that file systems take."""
_FILE_NAME = re.compile(r"[^/\\.\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,99}")

Name = Annotated[str, AfterValidator(_file_name)]
"""What files may be called after: it leads out of no folder."""
PathText = Annotated[str, Field(max_length=4000), AfterValidator(_path)]
"""A path that a file system can be asked about."""
Integer = Annotated[int, BeforeValidator(_no_bool)]
Number = Annotated[float, BeforeValidator(_no_bool)]
PositiveFloat = Annotated[Number, Field(gt=0)]
PositiveInt = Annotated[Integer, Field(ge=1, le=1_000_000_000)]
Count = Annotated[Integer, Field(ge=1, le=100_000)]
"""Of what takes time or memory each: epochs, folds, steps, the width of a layer."""
Seed = Annotated[Integer, Field(ge=0, le=2**32 - 1)]
"""What every library takes."""
Share = Annotated[Number, Field(ge=0, lt=1)]
FinetuneLayers = Annotated[Integer, Field(ge=0, le=10_000)] | Literal["all"]
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
