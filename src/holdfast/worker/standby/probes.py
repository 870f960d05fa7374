"""What is known of libraries with threads: how to try each, and what their threads mean for a fork. Data.

A library is tried by an expression that makes its engine work: in milliseconds, and leaving nothing behind
but in memory. It may name only what stands before it in `sys.modules` whenever its `module` does: nothing is
imported that the user has not. Libraries that have no threads but OpenMP's, BLAS's or Python's (scikit-learn,
lightgbm, xgboost, numba, pandas) need no line: those are tried for themselves.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Probe(NamedTuple):
    """To be tried where `module` is loaded."""

    module: str
    work: str


PROBES = (
    # Big enough that the library gives a part to its threads: smaller products are the caller's own work.
    Probe("numpy", "numpy.ones((256, 256)) @ numpy.ones((256, 256))"),
    Probe("scipy.linalg", "scipy.linalg.lu_factor(numpy.eye(200))"),
    Probe("scipy.fft", "scipy.fft.fft(numpy.ones((64, 256)), workers=2)"),
    Probe("numexpr", "numexpr.evaluate('a * a', {'a': numpy.ones(100_000)})"),
    Probe(
        "torch",
        "(torch.ones(256, 256, requires_grad=True) @ torch.ones(256, 256)).exp().sum().backward()",
    ),
    Probe("cv2", "cv2.GaussianBlur(numpy.zeros((600, 600), 'uint8'), (9, 9), 3)"),
    Probe("pyarrow.compute", "pyarrow.table({'a': [1, 2] * 99}).group_by('a').aggregate([('a', 'sum')])"),
    Probe("pyarrow.csv", "pyarrow.csv.read_csv(pyarrow.BufferReader(b'a,b\\n1,2\\n'))"),
    Probe("duckdb", "duckdb.connect().execute('select sum(range) from range(300_000)').fetchall()"),
    Probe("polars", "polars.DataFrame({'a': [1, 2] * 99}).group_by('a').agg(polars.len())"),
    Probe("jax.numpy", "(jax.numpy.ones((9, 9)) @ jax.numpy.ones((9, 9))).block_until_ready()"),
)

WITHOUT_MEANING = re.compile(r"jemalloc_bg_thd|polars-ooc-clea")
"""Names of threads that are not missed: they give memory back, or look after files."""

FOLLOW_FORKS = re.compile(
    r"""(?x) .*/( lib(scipy_)?openblas | libgomp | libi?omp5? | libmkl_ | libarrow | pypocketfft\.
    | _duckdb\. | duckdb\. | cv2\. | workqueue\. | libtorch ) .*
    | numexpr/interpreter\. .* | .*/lib(tcl|Qt\d|xcb|glib|gio)[^/]*"""
)
"""Libraries whose threads are made anew in a fork, by themselves or because we have ended them (`openmp`);
and those that do the work in the caller's thread, if need be. Windows (Tcl, Qt) are gone, which is said; what
else a session has goes on."""

DO_NOT = {
    "polars": re.compile(r".*/_?polars[^/]*|polars-\d+"),
    "jax": re.compile(r"jaxlib/.*|tf_XLA.*"),
    "ZeroMQ": re.compile(r".*/libzmq[^/]*|zmq/.*|ZMQbg/.*"),
    "gRPC": re.compile(r".*/cygrpc[^/]*|grpc_.*"),
    "TensorFlow": re.compile(r".*/(libtensorflow|_pywrap_tensorflow)[^/]*|tensorflow/.*"),
    "ray": re.compile(r"ray/.*"),
}
"""Files of libraries that wait for ever for threads they had, or names of these, by what people call them."""

ON_A_GPU = ("cupy", "jax", "numba.cuda", "pycuda.driver", "tensorflow", "torch")
"""Modules through which a session comes to use a GPU."""

GPU_DEVICES = ("/dev/nvidia-uvm", "/dev/kfd")
"""Open in a process whose memory a driver knows by address (CUDA's; ROCm's): it is of no use in a fork."""
