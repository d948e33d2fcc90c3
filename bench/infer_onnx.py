"""ONNX Runtime for infer_peers.py: float networks of the same sizes, quantized to int8.

    infer_onnx.py prepare FOLDER              writes mlp.KIND.onnx and convnet.KIND.onnx
    infer_onnx.py measure FILE BATCH THREADS

KIND is `dynamic`, with ranges of activations found at run time, or `static`, with ranges calibrated on random
data."""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from infer_timing import report


class Network:
    """A chain of nodes that starts at the input `x`."""

    def __init__(self):
        self.nodes, self.weights, self.last = [], [], "x"
        self.random = np.random.default_rng(0)

    def add(self, op, *weights, **attributes):
        names = [f"w{len(self.weights) + i}" for i in range(len(weights))]
        self.weights += [numpy_helper.from_array(w.astype("float32"), n) for w, n in zip(weights, names)]
        output = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.last, *names], [output], name=f"{op}{output}", **attributes))
        self.last = output

    def normal(self, *shape, inputs):
        return self.random.standard_normal(shape) / np.sqrt(inputs)

    def norm(self, channels):
        ones, zeros = np.ones(channels), np.zeros(channels)
        self.add("BatchNormalization", ones, zeros, zeros, ones)

    def dense(self, inputs, outputs, last=False):
        self.add("MatMul", self.normal(inputs, outputs, inputs=inputs))
        self.norm(outputs)
        if not last:
            self.add("Relu")

    def save(self, file, shape):
        value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, "g", [value("x", shape)], [value(self.last, None)], self.weights)
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), file)


def mlp():
    network = Network()
    for inputs, outputs in [(784, 4096), (4096, 4096), (4096, 4096)]:
        network.dense(inputs, outputs)
    network.dense(4096, 10, last=True)
    return network, [784]


def convnet():
    network, inputs = Network(), 3
    for index, outputs in enumerate([128, 128, 256, 256, 512, 512]):
        network.add("Conv", network.normal(outputs, inputs, 3, 3, inputs=9 * inputs), pads=[1] * 4)
        if index % 2:
            network.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        network.norm(outputs)
        network.add("Relu")
        inputs = outputs
    network.add("Flatten")
    network.dense(8192, 1024)
    network.dense(1024, 1024)
    network.dense(1024, 10, last=True)
    return network, [3, 32, 32]


class Samples(CalibrationDataReader):
    def __init__(self, shape):
        self.batches = iter([{"x": np.random.randn(8, *shape).astype("float32")} for _ in range(4)])

    def get_next(self):
        return next(self.batches, None)


def prepare(folder):
    for name, make in [("mlp", mlp), ("convnet", convnet)]:
        network, shape = make()
        real, ready = f"{folder}/{name}.float.onnx", f"{folder}/{name}.ready.onnx"
        network.save(real, ["b", *shape])
        quant_pre_process(real, ready)
        quantize_dynamic(ready, f"{folder}/{name}.dynamic.onnx", weight_type=QuantType.QInt8)
        quantize_static(ready, f"{folder}/{name}.static.onnx", Samples(shape), quant_format=QuantFormat.QDQ,
                        per_channel=True, activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
        os.remove(real)
        os.remove(ready)


def measure(file, batch, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    x = np.random.randn(batch, *session.get_inputs()[0].shape[1:]).astype("float32")
    report(lambda: session.run(None, {"x": x}))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2])
    else:
        measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
