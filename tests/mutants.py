#!/usr/bin/env python3
"""Breaks one rule at a time in a copy of the sources and sees the op table fail, or another test. Prints a line for each;
exits with 1 when a mutant survives or does not compile.

usage: tests/mutants.py [WORD...]        (tests/run mutants); only the mutants whose name has one of the words
"""
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPY = ROOT / "build/mutants"

# What is broken, where, what stands there, what shall stand there instead, and who sees it if not the op table.
MUTANTS = [
    ("tanh: the wrong sign", "lib/rules/hyperbolic.hpp", "return 1 - y * y;", "return 1 + y * y;"),
    ("divide: the sign of the second slope", "lib/rules/arithmetic.hpp", "return -y / b;", "return y / b;"),
    ("matmul: a transpose left out", "lib/ops/linear.cpp", "sum_to(matmul(swapped(a), g), b.shape())",
     "sum_to(matmul(a, g), b.shape())"),
    ("matmul: half of the tangent", "lib/ops/linear.cpp", "accumulate(sum, matmul(n.in[0], tangents[1]))",
     "accumulate(sum, Tensor(sum))"),
    ("softmax: the row sum dropped from the adjoint", "lib/kernels/rows.cpp",
     "return at(y, i) * (at(g, i) - mean);", "return static_cast<void>(mean), at(y, i) * at(g, i);"),
    ("softmax: a term of the second derivative dropped", "lib/ops/softmax.cpp",
     "h * (g - row_sum(g * s)) - g * row_sum(h * s)", "h * (g - row_sum(g * s))"),
    ("layer_norm: the mean of g dropped", "lib/kernels/rows.cpp", "(u(at, i) - a - normal(at, i) * b) * scale",
     "(static_cast<void>(a), u(at, i) - normal(at, i) * b) * scale"),
    ("layer_norm: a term of the second derivative dropped", "lib/ops/normalization.cpp",
     " + row_sum(h * normal) * vg)", ")"),
    ("cross_entropy: smoothing forgotten in the adjoint", "lib/kernels/rows.cpp",
     "at(out, i) * scale - rest;", "(static_cast<void>(rest), at(out, i) * scale);"),
    ("transpose: permuted once more instead of back", "lib/ops/manipulation.cpp",
     "cotangents[0] = transpose(g, &inverse);", "cotangents[0] = transpose(g, &permutation);"),
    ("concatenate: every part from the beginning", "lib/ops/manipulation.cpp",
     "cotangents[i] = part_of(g, n.attr.i, begin, end)", "cotangents[i] = part_of(g, n.attr.i, 0, end - begin)"),
    ("take: the adjoint along another axis", "lib/ops/indexing.cpp",
     "cotangents[0] = index_add(zeros_of(n.in[0]), n.out, g, n.attr.i);",
     "cotangents[0] = index_add(zeros_of(n.in[0]), n.out, g, 0);"),
    ("cumsum: the adjoint in the same direction", "lib/ops/scan.cpp",
     "cotangents[0] = running_sum(g, Direction(n.attr).reversed());", "cotangents[0] = running_sum(g, Direction(n.attr));"),
    ("attention: mu dropped from the second derivative", "lib/kernels/attention_adjoint.hpp",
     "(x - mu[l != 0]).store_unaligned(e", "(static_cast<void>(mu), x).store_unaligned(e"),
    ("attention: rho dropped from the second derivative", "lib/kernels/attention_adjoint.hpp",
     "pr * (factor(x, at_factor) - rho[l != 0])", "pr * (static_cast<void>(rho), factor(x, at_factor))"),
    ("norm_sq: half", "lib/ops/statistics.cpp", "spread(g * 2., r,", "spread(g, r,"),
    ("solve: the adjoint of the matrix transposed", "lib/linalg/solve.cpp",
     "flipped ? matmul(x, transposed(z)) : matmul(z, transposed(x))", "flipped ? matmul(z, transposed(x)) : matmul(x, transposed(z))"),
    ("cholesky: the diagonal not halved", "lib/linalg/triangular.cpp", "- 0.5 * x * identity_like(x)", "- 0.4 * x * identity_like(x)"),
    ("qr: half of the symmetric part", "lib/linalg/qr.cpp", "+ transposed(lower_part(m, false))", ""),
    ("eigh: gaps of the wrong sign", "lib/linalg/gaps.cpp", "gap == Gap::sum ? at[j] + at[i] : at[j] - at[i];",
     "gap == Gap::sum ? at[j] + at[i] : at[i] - at[j];"),
    ("svd: the part outside dropped", "lib/linalg/spectral.cpp", "x = x + f.outside(g);", "x = x + f.outside(g) * 0.;"),
    ("svd: sums of values left out of the second derivative", "lib/linalg/spectrum.cpp", "even + sums * d.odd", "even + 0. * sums * d.odd"),
    ("norm: another power", "lib/linalg/functions.cpp", "pow(quotient, p - 1)", "pow(quotient, p)"),
    ("pinv: a term dropped", "lib/linalg/least_squares.cpp", "sum = sum + matmul(matmul(left_rest(gt, a, p), p), pt);",
     "sum = sum + 0. * matmul(matmul(left_rest(gt, a, p), p), pt);"),
    ("expm: the adjoint not transposed", "lib/linalg/functions.cpp", "frechet(transposed(n.in[0]), g)", "frechet(n.in[0], g)"),
    ("strided: a place taken for nothing", "lib/kernels/strided.cpp", "if (offset != filled_)", "if (offset != filled_.value_or(-1))",
     "views"),
    ("strided: one element for the next row's", "lib/kernels/strided.cpp", "offset -= at[d] * stride[d];\n            at[d] = 0;",
     "offset -= (at[d] - 1) * stride[d];\n            at[d] = 0;", "views"),
    ("views: strides of extents of 1", "lib/tensor/tensor.cpp", "if (shape[std::size_t(i)] == 1) continue;", "", "shapes"),
    ("sort: an empty extent taken for 1", "lib/kernels/sort.cpp", "l.inner != 1", "l.inner > 1", "shapes"),
    ("matmul: the adjoint of no columns", "lib/ops/linear.cpp", "return reshape(x, {rows, x.shape().back()});",
     "return static_cast<void>(rows), reshape(x, {-1, x.shape().back()});", "shapes"),
    ("sin: neighbours decide", "lib/kernels/circular.hpp", "return by_size(x, [](B v) { return xsimd::sin(v); });",
     "return xsimd::sin(x);", "kernels"),
    ("logsumexp: no weights", "lib/ops/reduction.cpp", "exp(n.in[0] - spread(n.out, r, n.in[0].shape()))", "(static_cast<void>(r), exp(n.in[0]))"),
]


def run(*command):
    return subprocess.run(command, capture_output=True, text=True)


def main():
    source, build = COPY / "source", COPY / "build"
    shutil.rmtree(source, ignore_errors=True)
    for folder in ("lib", "include", "tests", "docs"):
        shutil.copytree(ROOT / folder, source / folder)
    for file in ("CMakeLists.txt", "README.md"):
        shutil.copy(ROOT / file, source)
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DXTGRAD_EXAMPLES=OFF",
        "-DXTGRAD_INSTRUCTION_SETS=").check_returncode()

    def outcome(test):
        """What becomes of a test: "no build", "caught" (it fails) or "SURVIVED" (it passes)."""
        built = run("ninja", "-C", build, f"test_{test}")
        if built.returncode:
            print(built.stdout[-3000:])
            return "no build"
        return "caught" if run(build / f"tests/test_{test}").returncode else "SURVIVED"

    words = sys.argv[1:]
    mutants = [m if len(m) == 5 else (*m, "ops") for m in MUTANTS if not words or any(word in m[0] for word in words)]
    for test in {m[-1] for m in mutants}:
        if outcome(test) != "SURVIVED":
            sys.exit(f"test_{test} fails as it is.")
    caught = 0
    for name, path, before, after, test in mutants:
        file = source / path
        text = file.read_text()
        if text.count(before) != 1:
            sys.exit(f"{name}: {path} has {text.count(before)} times: {before}")
        file.write_text(text.replace(before, after))
        result = outcome(test)
        file.write_text(text)
        caught += result == "caught"
        print(f"{result:8}  {name}", flush=True)
    print(f"{caught} of {len(mutants)} mutants caught")
    return caught < len(mutants)


sys.exit(main())
