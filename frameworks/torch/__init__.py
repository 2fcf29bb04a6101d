"""PyTorch: modules trained on the CPU, stored without pickle, shipped as ONNX."""

from frameworks.torch.convert import convert as convert
from frameworks.torch.distill import distill as distill
from frameworks.torch.files import load as load
from frameworks.torch.files import save as save
from frameworks.torch.predict import caller as caller
from frameworks.torch.predict import one_thread as one_thread
from frameworks.torch.predict import predict as predict
from frameworks.torch.predict import settings as settings
from frameworks.torch.prune import prune as prune
from frameworks.torch.quantize import quantize as quantize
from frameworks.torch.size import size as size
from frameworks.torch.train import seed as seed
from frameworks.torch.train import train as train
