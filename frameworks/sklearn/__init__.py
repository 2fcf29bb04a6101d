"""scikit-learn: a projector for speaker verification, and small classifiers that stand in for other frameworks' networks.

Its networks are plain arrays; the estimators they came from are made of them again where they compute.
"""

from frameworks.sklearn.convert import convert as convert
from frameworks.sklearn.distill import distill as distill
from frameworks.sklearn.files import load as load
from frameworks.sklearn.files import save as save
from frameworks.sklearn.predict import caller as caller
from frameworks.sklearn.predict import one_thread as one_thread
from frameworks.sklearn.predict import predict as predict
from frameworks.sklearn.predict import settings as settings
from frameworks.sklearn.predict import size as size
from frameworks.sklearn.prune import prune as prune
from frameworks.sklearn.quantize import quantize as quantize
from frameworks.sklearn.stand_in import stand_in as stand_in
from frameworks.sklearn.train import seed as seed
from frameworks.sklearn.train import train as train
