"""Hides from a container's program what the machine has installed and the image has not.

Python imports this by itself when it starts, since the folder is on its path. The names are those of the image's lock
file, github.com/aws/deep-learning-containers, docker/xgboost/{Dockerfile,pyproject.toml,uv.lock} at e0ecedea6a1c
(version 3.2.0: Python 3.12, numpy 2.1.0, boto3 1.38.0, pandas 2.2.3), as they are imported. What the image has and the
machine has not is missing here as well; versions are the machine's.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

INSTALLED = frozenset(
    """
    _cffi_backend _distutils_hack _yaml bcrypt blinker boto3 botocore certifi cffi charset_normalizer click
    cloudpickle colorama contourpy cryptography cuda cycler dask dask_cuda dateutil distributed flask fontTools
    fsspec future gevent google greenlet gunicorn idna inotify_simple invoke itsdangerous jinja2 jmespath joblib
    kiwisolver llvmlite locket markupsafe matplotlib mlio mms model_archiver mpl_toolkits msgpack nacl numba
    numpy packaging pandas paramiko partd PIL pip pkg_resources psutil pyarrow pycparser pylab pynvml pyparsing
    pytz requests retrying s3transfer sagemaker_algorithm_toolkit sagemaker_containers sagemaker_inference
    sagemaker_xgboost_container scipy setuptools six sklearn smdebug sortedcontainers tblib threadpoolctl tlz
    toolz tornado tzdata urllib3 werkzeug xgboost yaml zict zmq zope
    """.split()  # noqa: SIM905  a table of names is read more easily as words
)
"""Top-level modules."""


class Image(importlib.abc.MetaPathFinder):
    """Finds nothing, and says of what only the machine has that it is not there."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Leaves the standard library, the image's modules and the program's own to the finders after it."""
        if path is not None or "." in name or name in INSTALLED or name in sys.stdlib_module_names:
            return None
        found = importlib.machinery.PathFinder.find_spec(name)
        places = [found.origin or "", *(found.submodule_search_locations or ())] if found else []
        if any("site-packages" in place for place in places):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


sys.meta_path.insert(0, Image())
