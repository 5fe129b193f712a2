#!/usr/bin/env python3
"""What building costs: headers in a user's file, the library, one op's file. Without ccache.

usage: tests/bench/build.py [--library]     --library: also the library, which takes minutes
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "CCACHE_DISABLE": "1"}
ROUNDS = 5
HEADERS = [  # ours, xtensor's that comes with it, and the seconds that ours may cost beyond
    (["xtgrad/tape.hpp", "xtgrad/ops.hpp"], "xtensor/xslice.hpp", 0.6),
    (["xtgrad/xtgrad.hpp"], "xtensor/xarray.hpp", 1.5),
]
LIBRARY_SECONDS, FILE_SECONDS, LIBRARY_MEGABYTES = 240, 20, 8


def seconds(*command):
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT)
    return time.monotonic() - start


def compile_time(folder, headers):
    source = folder / "user.cpp"
    source.write_text("".join(f"#include <{h}>\n" for h in headers) + "int main() {}\n")
    return seconds("g++", "-std=c++20", "-O2", f"-I{ROOT}/include", "-c", source, "-o", folder / "user.o")


def verdict(value, limit):
    return "met" if value <= limit else "missed"


def headers(folder):
    for ours, theirs, limit in HEADERS:
        pairs = [(compile_time(folder, ours), compile_time(folder, [theirs])) for _ in range(ROUNDS)]
        a, b = (statistics.median(column) for column in zip(*pairs))
        print(f"{' and '.join(ours):36}{a:6.2f} s, {theirs} alone {b:.2f} s: {a - b:.2f} s beyond; "
              f"at most {limit}: {verdict(a - b, limit)}")


def library(folder):
    build = folder / "build"
    seconds("cmake", "-S", ROOT, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DBUILD_SHARED_LIBS=ON",
            "-DXTGRAD_TESTS=OFF", "-DXTGRAD_EXAMPLES=OFF")
    full = seconds("ninja", "-C", build)
    print(f"{'the library, from nothing':36}{full:6.1f} s on {os.cpu_count()} cores; at most {LIBRARY_SECONDS}: "
          f"{verdict(full, LIBRARY_SECONDS)}")
    shared = next(path for path in (build / "lib").glob("libxtgrad.so*") if not path.is_symlink())
    seconds("strip", shared)
    size = shared.stat().st_size / 2**20
    print(f"{'the shared library, stripped':36}{size:6.1f} MB; at most {LIBRARY_MEGABYTES}: {verdict(size, LIBRARY_MEGABYTES)}")
    slowest = max((seconds("touch", file) + seconds("ninja", "-C", build), file.name) for file in sorted((ROOT / "lib/ops").glob("*.cpp")))
    print(f"{'the slowest op file, touched':36}{slowest[0]:6.1f} s, {slowest[1]}; at most {FILE_SECONDS}: "
          f"{verdict(slowest[0], FILE_SECONDS)}")


with tempfile.TemporaryDirectory() as name:
    headers(Path(name))
    if "--library" in sys.argv[1:]:
        library(Path(name))
