"""Networks that come as an ONNX file: nothing is trained here; they are checked, quantized, converted and proven."""

from frameworks.onnx.convert import convert as convert
from frameworks.onnx.distill import distill as distill
from frameworks.onnx.files import load as load
from frameworks.onnx.files import save as save
from frameworks.onnx.predict import caller as caller
from frameworks.onnx.predict import one_thread as one_thread
from frameworks.onnx.predict import predict as predict
from frameworks.onnx.predict import settings as settings
from frameworks.onnx.prune import prune as prune
from frameworks.onnx.quantize import quantize as quantize
from frameworks.onnx.size import size as size
from frameworks.onnx.train import seed as seed
from frameworks.onnx.train import train as train
