"""`python -m corpora.generated_samples DEST [--params params.yaml]`."""

import sys

from corpora.generated_samples import main

if __name__ == "__main__":
    sys.exit(main())
