"""On what the models learn: corpora as folders of labels.csv and audio, their loaders, and how they are split.

Commands: `python -m corpora.folder DIR` checks a folder; `python -m corpora.generated_speech DEST`,
`python -m corpora.fsdd DEST` and `python -m corpora.speech_commands DEST` make one.
"""

from corpora.audio import AudioFacts as AudioFacts
from corpora.audio import inspect as inspect
from corpora.audio import read_audio as read_audio
from corpora.audio import resample as resample
from corpora.corpus import SPLITS as SPLITS
from corpora.corpus import Clip as Clip
from corpora.corpus import Corpus as Corpus
from corpora.corpus import content_hash as content_hash
from corpora.errors import CorpusError as CorpusError
from corpora.labels import read_folder as read_folder
from corpora.splits import split as split
