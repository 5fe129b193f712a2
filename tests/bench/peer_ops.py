"""ops.cpp, with PyTorch. Prints what Google Benchmark would."""
import json
import sys
import time

import torch
import torch.nn.functional as F

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
]


def data(shape):
    size = torch.Size(shape).numel()
    return torch.arange(size, dtype=torch.float64).sin().float().reshape(shape)


def measure(shapes, f, min_time):
    inputs = [data(shape).requires_grad_() for shape in shapes]
    g = data(f(*inputs).shape)

    def step():
        y = f(*inputs)
        return [*torch.autograd.grad(y, inputs, g), y]

    check = sum(result.detach().abs().double().sum().item() for result in step())
    iterations, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < min_time or not iterations:
        step()
        iterations += 1
    return {"real_time": elapsed / iterations * 1e9, "check": check}


min_time = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
results = [{"name": name, **measure(shapes, f, min_time)} for name, shapes, f in cases]
json.dump({"context": {"torch": torch.__version__}, "benchmarks": results}, sys.stdout)
