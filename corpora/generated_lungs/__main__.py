"""`python -m corpora.generated_lungs DEST [--params params.yaml]`."""

import sys

from corpora.generated_lungs import main

if __name__ == "__main__":
    sys.exit(main())
