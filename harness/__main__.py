"""`python -m harness`: the command line, and what its exit codes mean.

0 all went well · 1 something that was started failed · 2 the user must mend something ·
130 interrupted, by SIGINT or SIGTERM; what was finished is kept
"""

from __future__ import annotations

import signal
import sys

from backbones.cards import BackboneError
from harness.cli import app
from harness.errors import HarnessError, UserError
from harness.redaction import redacted


def main() -> None:
    """Run the command line and leave with its exit code."""
    # as Ctrl-C: what stops containers and jobs of a cluster sends this one
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app(prog_name="harness")
    except (UserError, BackboneError) as error:
        print(redacted(f"error: {error}"), file=sys.stderr)
        sys.exit(2)
    except (HarnessError, OSError) as error:
        print(redacted(f"failed: {error}"), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
