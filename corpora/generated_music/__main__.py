"""`python -m corpora.generated_music DEST [--params params.yaml]`."""

import sys

from corpora.generated_music import main

if __name__ == "__main__":
    sys.exit(main())
