"""`python -m corpora.generated_phrases DEST [--params params.yaml]`."""

import sys

from corpora.generated_phrases import main

if __name__ == "__main__":
    sys.exit(main())
