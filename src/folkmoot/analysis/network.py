"""The networks over word pieces: a tokenizer and an ONNX session each, run for several texts at once."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding

from folkmoot.analysis.weights import Weights, tokenizer

#: A text, or (first, second) for a network that reads two at once.
Text = str | tuple[str, str]
#: Word pieces in one run, at the most: more of them in one are no quicker, and take memory.
MOST_PIECES = 256
#: Of a text's pieces in a run with others, one in so many may be filling.
MOST_FILLED = 6

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
        self._session = onnxruntime.InferenceSession(str(weights.path), options, providers=["CPUExecutionProvider"])
        self._inputs = {entry.name for entry in self._session.get_inputs()}

    def run(self, texts: Sequence[Text], *, together: bool) -> list[NDArray[np.float32]]:
        """The network's first output for each text, in their order.

        Args:
            texts: at least one; what is too long is cut.
            together: whether texts of about equally many pieces may share a run, the shorter ones filled up, which is
                a fifth quicker. A network with dynamic quantisation gives a text other figures then, depending on the
                set.
        """
        encodings = self._tokenizer.encode_batch(list(texts))
        runs = list(_runs(encodings, MOST_PIECES if together else 0))
        outputs = self._threads.map(lambda places: self._output([encodings[place] for place in places]), runs)
        rows = dict(zip(chain.from_iterable(runs), chain.from_iterable(outputs), strict=True))
        return [rows[place][: len(encodings[place].ids)] if together else rows[place] for place in range(len(texts))]

    def _output(self, encodings: Sequence[Encoding]) -> NDArray[np.float32]:
        fields = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}  # nosec B105
        longest = max(len(encoding.ids) for encoding in encodings)
        feed = {
            name: np.array([_filled(getattr(encoding, field), longest) for encoding in encodings], np.int64)
            for name, field in fields.items()
            if name in self._inputs
        }
        output: NDArray[np.float32] = self._session.run(None, feed)[0]
        return output


def _filled(pieces: list[int], length: int) -> list[int]:
    return pieces + [0] * (length - len(pieces))


def _runs(encodings: Sequence[Encoding], most_pieces: int) -> Iterator[list[int]]:
    """The places of the encodings by runs, the longest first, so that no thread is left with a long one at the end."""
    places: list[int] = []
    for place in sorted(range(len(encodings)), key=lambda place: (-len(encodings[place].ids), encodings[place].ids)):
        pieces = len(encodings[place].ids)
        longest = len(encodings[places[0]].ids) if places else pieces
        is_full = longest * (len(places) + 1) > most_pieces
        if places and (is_full or longest - pieces > longest // MOST_FILLED):
            yield places
            places = []
        places.append(place)
    if places:
        yield places
