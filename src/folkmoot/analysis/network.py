"""The networks over word pieces: a tokenizer and an ONNX session each, run for several texts at once."""

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding

from folkmoot.analysis.weights import Weights, tokenizer

#: A text, or (first, second) for a network that reads two at once.
Text = str | tuple[str, str]
#: What ONNX Runtime joins into one operation that takes longer than both, a fifth of a short sentence's run.
SLOWER = ["SkipLayerNormFusion"]
#: What the kernel says of the processor, and there the names of what adds products of bytes in 32 bits.
PROCESSOR, VNNI = Path("/proc/cpuinfo"), re.compile(r"\bavx(?:512)?_vnni\b")


def overflows() -> bool:
    """Whether ONNX Runtime's quicker products of bytes lose what 16 bits do not hold here: without VNNI they do.

    Told to be exact it is right on every processor, and slower (docs/decisions/0028).
    """
    try:
        return VNNI.search(PROCESSOR.read_text(encoding="utf-8")) is None
    except OSError:
        return True


#: What a network may want of a text, by the name of its input; and what the tokenizer calls that.
INPUTS = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}  # nosec B105


class Network:
    """One ONNX network; as many runs go on at once as it has threads, each on one core.

    Two runs side by side take 15% less time than two threads that share each run, measured.
    """

    def __init__(self, weights: Weights, *, max_tokens: int, threads: int) -> None:
        weights.checked()
        self._tokenizer = tokenizer(max_tokens)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=weights.path.stem)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        # With patterns the arena keeps a block for each length of text: 40 to 100 MB for nothing, measured.
        options.enable_mem_pattern = False
        if overflows():
            options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = onnxruntime.InferenceSession(
            str(weights.path), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
        )
        self._inputs = [entry.name for entry in self._session.get_inputs()]

    def encode(self, texts: Sequence[Text]) -> list[Encoding]:
        """The word pieces of each text; what is too long is cut."""
        return self._tokenizer.encode_batch(list(texts))

    def run(self, encodings: Sequence[Encoding]) -> list[NDArray[np.float32]]:
        """The network's first output for each text, in their order.

        Each is run alone: with dynamic quantisation texts that share a run change each other's figures.
        """
        # The longest first, so that no thread is left with a long one at the end.
        order = sorted(range(len(encodings)), key=lambda place: len(encodings[place].ids), reverse=True)
        outputs = self._threads.map(self._output, (encodings[place] for place in order))
        rows = dict(zip(order, outputs, strict=True))
        return [rows[place] for place in range(len(encodings))]

    def _output(self, encoding: Encoding) -> NDArray[np.float32]:
        feed = {name: np.array([getattr(encoding, INPUTS[name])], np.int64) for name in self._inputs}
        output: NDArray[np.float32] = self._session.run(None, feed)[0][0]
        return output
