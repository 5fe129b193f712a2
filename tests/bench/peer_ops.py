"""ops.cpp, with PyTorch. Prints what Google Benchmark would."""
import sys

import torch
import torch.nn.functional as F

import peer

torch.set_num_threads(2)
n, m = 1024, 4096
rows = torch.arange(n) * 37 % n

cases = [
    ("exp", [(n, n)], torch.exp),
    ("tanh", [(n, n)], torch.tanh),
    ("gelu", [(n, n)], F.gelu),
    ("multiply", [(n, n), (n, n)], torch.mul),
    ("add a column", [(n, n), (n, 1)], torch.add),
    ("add a bias", [(n, n), (n,)], torch.add),
    ("sum over axis 0", [(n, n)], lambda x: x.sum(0)),
    ("sum over axis 1", [(n, n)], lambda x: x.sum(1)),
    ("sum over all", [(n, n)], torch.sum),
    ("mean over axis 0", [(n, n)], lambda x: x.mean(0)),
    ("mean over axis 1", [(n, n)], lambda x: x.mean(1)),
    ("variance over axis 0", [(n, n)], lambda x: x.var(0, unbiased=False)),
    ("variance over axis 1", [(n, n)], lambda x: x.var(1, unbiased=False)),
    ("sum over axis 0, 4096", [(m, m)], lambda x: x.sum(0)),
    ("sum over axis 1, 4096", [(m, m)], lambda x: x.sum(1)),
    ("mean over axis 0, 4096", [(m, m)], lambda x: x.mean(0)),
    ("mean over axis 1, 4096", [(m, m)], lambda x: x.mean(1)),
    ("variance over axis 0, 4096", [(m, m)], lambda x: x.var(0, unbiased=False)),
    ("variance over axis 1, 4096", [(m, m)], lambda x: x.var(1, unbiased=False)),
    ("softmax", [(n, n)], lambda x: x.softmax(-1)),
    ("layer_norm", [(n, n)], lambda x: F.layer_norm(x, (n,), eps=1e-5)),
    ("transposed copy", [(n, n)], lambda x: x.t().contiguous()),
    ("take rows", [(n, n)], lambda x: x.index_select(0, rows)),
    ("matmul", [(n, n), (n, n)], torch.matmul),
    ("matmul, 64 of 64 x 64", [(64, 64, 64), (64, 64, 64)], torch.matmul),
    ("3072 x 768 times vector", [(3072, 768), (768,)], torch.matmul),
    ("linear of 1 row, 768-3072", [(1, 768), (3072, 768)], F.linear),
    ("linear of 4 rows, 768-3072", [(4, 768), (3072, 768)], F.linear),
]


def data(shape):
    size = torch.Size(shape).numel()
    return torch.arange(size, dtype=torch.float64).sin().float().reshape(shape)


def step_of(shapes, f):
    inputs = [data(shape).requires_grad_() for shape in shapes]
    g = data(f(*inputs).shape)

    def step():
        y = f(*inputs)
        return [*torch.autograd.grad(y, inputs, g), y]

    return step


peer.run(((name, step_of(shapes, f)) for name, shapes, f in cases), {"torch": torch.__version__}, *sys.argv[1:], check=peer.magnitude)
