"""Starts the package as `python3 launch/plots`, from any folder."""

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from plots.command import main  # noqa: E402

sys.exit(main(sys.argv[1:]))
