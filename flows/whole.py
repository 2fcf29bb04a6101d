"""`python flows/whole.py …` is the command `dvc …`, but the files it writes are whole or as they were.

DVC empties dvc.lock and fills it again. A run that is killed between the two would leave one that no later command reads, and
with it what every model knows of its stages.
"""

import os
import sys
from pathlib import Path
from typing import Any

from dvc.cli import main
from dvc.utils.serialize import _common

SCRATCH = Path(".dvc/tmp")  # beside dvc.lock: what a killed command leaves there is nobody's concern
_dump = _common._dump_data


def dump(path: Any, data: Any, dumper: Any, fs: Any = None, **options: Any) -> None:
    """As DVC writes a file, but beside it first."""
    place = Path(path)
    scratch = place.parent / SCRATCH
    if (fs is not None and fs.protocol != "local") or not scratch.is_dir():
        _dump(path, data, dumper, fs=fs, **options)
        return
    beside = scratch / f"{place.name}.{os.getpid()}"
    _dump(beside, data, dumper, **options)
    beside.replace(place)


_common._dump_data = dump

if __name__ == "__main__":
    sys.exit(main())
