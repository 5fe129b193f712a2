#!/usr/bin/env python3
"""Values and gradients of PyTorch and NumPy for tests/linalg.cpp: prints the lines of linalg.inc.
usage: tests/reference/linalg.py > tests/reference/linalg.inc"""
import numpy
import torch

torch.set_default_dtype(torch.float64)
a = torch.tensor([[4.0, 1.0, -2.0], [1.0, 3.0, 0.5], [-2.0, 0.5, 5.0]])
b = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 7.0]])
L = torch.linalg


def literal(x):
    if x.ndim == 0:
        return repr(float(x))
    return "{" + ", ".join(literal(row) for row in x) + "}"


def tensor(x):
    return f"xg::tensor({literal(numpy.asarray(x))})"


def value(code, x):
    print(f"    CHECK(relative({code}, {tensor(x)}) < 1e-13);")


def gradient(code, x, f):
    """Of the sum of squares of f(x), which does not see signs; x is named in code."""
    leaf = {"a": a, "b": b}[x].clone().requires_grad_()
    torch.square(f(leaf)).sum().backward()
    print(f"    CHECK(relative(squares_gradient([&] {{ return {code}; }}, {x}), {tensor(leaf.grad)}) < 1e-12);")


print("// Made by linalg.py with PyTorch %s, NumPy %s." % (torch.__version__.split("+")[0], numpy.__version__))
value("la::inv(a)", numpy.linalg.inv(a))
value("la::solve(a, b)", numpy.linalg.solve(a, b))
value("la::det(a)", numpy.linalg.det(a))
value("la::cholesky(a)", numpy.linalg.cholesky(a))
value("la::qr(b).q", numpy.linalg.qr(b).Q)
value("la::qr(b).r", numpy.linalg.qr(b).R)
value("la::eigvalsh(a)", numpy.linalg.eigvalsh(a))
value("la::svd(b).s", numpy.linalg.svd(b).S)
value("la::pinv(b)", numpy.linalg.pinv(b))
value("la::lstsq(b, xg::view(a, xt::all(), 0)).solution", numpy.linalg.lstsq(b, a[:, 0])[0])
value("la::lstsq(b, a).residuals", numpy.linalg.lstsq(b, a)[1])
value("la::expm(a)", torch.matrix_exp(a))
value("la::kron(b, a)", numpy.kron(b, a))
value("la::matrix_power(a, -3)", numpy.linalg.matrix_power(a, -3))
for order in (1, -1, 2, -2):
    value(f"la::norm(b, {order})", numpy.linalg.norm(b, order))
for order in ("fro", "nuc"):
    value(f"la::norm(b, la::normorder::{order.replace('fro', 'frob')})", numpy.linalg.norm(b, order))
gradient("la::inv(a)", "a", L.inv)
gradient("la::solve(a, b)", "a", lambda x: L.solve(x, b))
gradient("la::det(a)", "a", L.det)
gradient("la::slogdet(a).logdet", "a", lambda x: L.slogdet(x)[1])
gradient("la::cholesky(a) * (1. + xg::arange(3.))", "a", lambda x: L.cholesky(x) * (1 + torch.arange(3.0)))
gradient("la::eigvalsh(a)", "a", L.eigvalsh)
gradient("la::eigh(a).vectors * (1. + xg::arange(3.)) + la::eigh(a).vectors * xg::reshape(xg::arange(3.), {3, 1})", "a",
         lambda x: L.eigh(x)[1] * (1 + torch.arange(3.0)) + L.eigh(x)[1] * torch.arange(3.0)[:, None])
gradient("la::qr(b).q * xg::reshape(xg::arange(6.), {3, 2})", "b", lambda x: L.qr(x)[0] * torch.arange(6.0).reshape(3, 2))
gradient("la::qr(b).r", "b", lambda x: L.qr(x)[1])
gradient("la::svd(b, false).u * xg::reshape(xg::arange(6.), {3, 2})", "b",
         lambda x: L.svd(x, full_matrices=False)[0] * torch.arange(6.0).reshape(3, 2))
gradient("la::svd(b, false).vt * xg::reshape(xg::arange(4.), {2, 2})", "b",
         lambda x: L.svd(x, full_matrices=False)[2] * torch.arange(4.0).reshape(2, 2))
gradient("la::pinv(b)", "b", L.pinv)
gradient("la::expm(0.1 * a)", "a", lambda x: L.matrix_exp(0.1 * x))
gradient("la::norm(b, la::normorder::nuc)", "b", lambda x: L.norm(x, "nuc"))
gradient("la::lstsq(b, a).solution", "b", lambda x: L.lstsq(x, a).solution)
