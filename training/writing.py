"""Writes networks over word pieces as ONNX, with int8 weights."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn


def write(network: nn.Module, inputs: Sequence[Tensor], names: Sequence[str], output: str, path: Path) -> None:
    """Write a network that takes these inputs, (n, length) each, by these names."""
    network.eval()
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        torch.onnx.export(
            network, tuple(inputs), str(whole), input_names=list(names), output_names=[output],
            dynamic_axes={name: {0: "n", 1: "length"} for name in names}, opset_version=17, dynamo=False,
        )  # fmt: skip
        quantize_dynamic(
            whole, path, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["MatMul", "Gather"]
        )
