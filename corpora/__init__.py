"""On what the models learn: corpora as folders of labels.csv and audio, their loaders, and how they are split.

Commands: `python -m corpora.folder DIR` checks a folder. These make one: `python -m corpora.NAME DEST` for what is generated
(generated_speech, generated_phrases, generated_music, generated_lungs, generated_samples), and with `--from FOLDER` for the
public sets (fsdd, speech_commands, gtzan, esc50, icbhi); `pronounced` turns words into phones.
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
