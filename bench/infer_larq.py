"""Larq Compute Engine for infer_peers.py: the same binary networks, untrained.

    infer_larq.py prepare FOLDER              writes mlp.KIND.bBATCH.tflite and convnet.KIND.bBATCH.tflite
    infer_larq.py measure FILE BATCH THREADS KERNELS

The engine has no binary dense layers. KIND is `dense`, with the float dense layers of TFLite, or `1x1`, with
binary convolutions of one pixel. A file is for one batch size. KERNELS are the `default`, `indirect` or
`reference` ones of the engine, or the default ones with `xnnpack` of TFLite. Which are fastest depends on
machine and network; on a Zen 4 never the default ones."""

import glob
import importlib.util
import os
import site
import sys

import numpy as np

from infer_timing import report

BATCHES = {"mlp": [1, 256], "convnet": [1, 128]}


def build(model, batch, by_convolutions):
    import larq
    import tensorflow as tf

    layers, network = tf.keras.layers, tf.keras.Sequential()
    binary = dict(kernel_quantizer="ste_sign", kernel_constraint="weight_clip", use_bias=False)

    def quantizer(first):
        return None if first else "ste_sign"

    def dense(outputs, first=False):
        if by_convolutions and not first:
            network.add(larq.layers.QuantConv2D(outputs, 1, input_quantizer="ste_sign", **binary))
        else:
            network.add(larq.layers.QuantDense(outputs, input_quantizer=quantizer(first), **binary))
        network.add(layers.BatchNormalization())
        if by_convolutions and first:
            network.add(layers.Reshape((1, 1, outputs)))

    if model == "mlp":
        network.add(layers.InputLayer(input_shape=(784,), batch_size=batch))
        for index, outputs in enumerate([4096, 4096, 4096, 10]):
            dense(outputs, index == 0)
    else:
        network.add(layers.InputLayer(input_shape=(32, 32, 3), batch_size=batch))
        for index, outputs in enumerate([128, 128, 256, 256, 512, 512]):
            around = 1.0 if index else 0.0
            network.add(larq.layers.QuantConv2D(outputs, 3, padding="same", pad_values=around,
                                                input_quantizer=quantizer(index == 0), **binary))
            if index % 2:
                network.add(layers.MaxPool2D(2, 2))
            network.add(layers.BatchNormalization())
        network.add(layers.Reshape((1, 1, 8192)) if by_convolutions else layers.Flatten())
        for outputs in [1024, 1024, 10]:
            dense(outputs)
    if by_convolutions:
        network.add(layers.Flatten())
    return network


def prepare(folder):
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import larq_compute_engine

    for model, batches in BATCHES.items():
        for batch in batches:
            for kind in ["dense", "1x1"]:
                network = larq_compute_engine.convert_keras_model(build(model, batch, kind == "1x1"))
                with open(f"{folder}/{model}.{kind}.b{batch}.tflite", "wb") as file:
                    file.write(network)


def interpreter_module():
    """The interpreter without TensorFlow, which would add to its memory and start-up time."""
    pattern = "/larq_compute_engine/tflite/python/interpreter_wrapper_lite*.so"
    [library] = glob.glob(site.getsitepackages()[0] + pattern)
    spec = importlib.util.spec_from_file_location("interpreter_wrapper_lite", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measure(file, threads, kernels):
    with open(file, "rb") as opened:
        network = opened.read()
    chosen = [kernels == name for name in ["reference", "indirect", "xnnpack"]]
    interpreter = interpreter_module().LiteInterpreter(network, threads, *chosen)
    x = np.random.randn(*interpreter.input_shapes[0]).astype("float32")
    report(lambda: interpreter.predict([x]))


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(sys.argv[2])
    else:
        measure(sys.argv[2], int(sys.argv[4]), sys.argv[5])
