"""`python -m corpora.generated_speech DEST [--params params.yaml]`."""

import sys

from corpora.generated_speech import main

if __name__ == "__main__":
    sys.exit(main())
