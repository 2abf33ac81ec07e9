"""Number types by the names that suites, records and kept frames give them."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from harness.specs import DtypeName

DTYPES: Mapping[DtypeName, torch.dtype] = {
    "float32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
DTYPE_NAMES: Mapping[torch.dtype, DtypeName] = {dtype: name for name, dtype in DTYPES.items()}
