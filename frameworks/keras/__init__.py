"""Keras, the one that tfmot knows: TF_USE_LEGACY_KERAS is set before TensorFlow is first imported, here and nowhere else."""

import os
import sys

from frameworks.formats.chatter import quiet

if "tensorflow" in sys.modules and os.environ.get("TF_USE_LEGACY_KERAS") != "1":
    raise ImportError("TensorFlow was imported before frameworks.keras; set TF_USE_LEGACY_KERAS=1 or import this first")
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

with quiet():  # TensorFlow looks for accelerators at once and complains on descriptor 2 where there are none
    import tensorflow as tf

    tf.config.list_physical_devices()
tf.get_logger().setLevel("ERROR")

from frameworks.keras.convert import convert as convert  # noqa: E402
from frameworks.keras.distill import distill as distill  # noqa: E402
from frameworks.keras.files import load as load  # noqa: E402
from frameworks.keras.files import save as save  # noqa: E402
from frameworks.keras.predict import caller as caller  # noqa: E402
from frameworks.keras.predict import one_thread as one_thread  # noqa: E402
from frameworks.keras.predict import predict as predict  # noqa: E402
from frameworks.keras.predict import settings as settings  # noqa: E402
from frameworks.keras.prune import prune as prune  # noqa: E402
from frameworks.keras.quantize import quantize as quantize  # noqa: E402
from frameworks.keras.size import size as size  # noqa: E402
from frameworks.keras.train import seed as seed  # noqa: E402
from frameworks.keras.train import train as train  # noqa: E402
