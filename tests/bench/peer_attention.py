"""attention.cpp, with PyTorch. Prints what Google Benchmark would."""
import sys

import torch
import torch.nn.functional as F

import peer

torch.set_num_threads(2)

CASES = [
    ("B1 H8 T1024 D64 causal", 1, 8, 1024, 64, True, torch.float32),
    ("B1 H8 T1024 D64 full", 1, 8, 1024, 64, False, torch.float32),
    ("B1 H4 T4096 D64 causal", 1, 4, 4096, 64, True, torch.float32),
    ("B4 H8 T256 D64 causal", 4, 8, 256, 64, True, torch.float32),
    ("B12 H4 T64 D32 causal", 12, 4, 64, 32, True, torch.float32),
    ("B1 H1 T2048 D64 causal", 1, 1, 2048, 64, True, torch.float32),
    ("B1 H3 T1024 D128 full", 1, 3, 1024, 128, False, torch.float32),
    ("B1 H8 T1024 D64 full, f64", 1, 8, 1024, 64, False, torch.float64),
]


def data(shape, dtype, first):
    size = torch.Size(shape).numel()
    return (torch.arange(size, dtype=torch.float64) + first).sin().to(dtype).reshape(shape)


def attention(b, h, t, d, causal, dtype):
    x = [data((b, t, h * d), dtype, 1000 * i).requires_grad_() for i in range(3)]
    g = data((b, t, h * d), dtype, 3000)

    def step():
        q, k, v = (e.view(b, t, h, d).transpose(1, 2) for e in x)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(b, t, h * d)
        return [*torch.autograd.grad(y, x, g), y]

    return step


def generation(b, h, s, d):
    q, k, v = (data((b, t, h * d), torch.float32, 1000 * i).view(b, t, h, d).transpose(1, 2) for i, t in enumerate((1, s, s)))

    def step():
        with torch.no_grad():
            return [F.scaled_dot_product_attention(q, k, v)]

    return step


def block(n=64, m=256, p=64):
    shapes = [(n, p), (n, m), (n, n), (n, n), (m, n)]
    x = [data(s, torch.float32, 1000 * i).requires_grad_() for i, s in enumerate(shapes)]
    x.append(torch.tensor(0.01, requires_grad=True))
    g = data((p, p), torch.float32, 5000)

    def step():
        X, Y, A, B, C, scale = x
        y = (scale * (A @ X).t() @ (B @ Y)).softmax(-1) @ (C @ X)
        return [*torch.autograd.grad(y, x, g), y]

    return step


steps = [(name, attention(*rest)) for name, *rest in CASES]
steps += [("B1 H8 T1 S1024 D64, forward", generation(1, 8, 1024, 64)), ("B16 H8 T1 S512 D64, forward", generation(16, 8, 512, 64))]
steps += [("attention_block", block())]
peer.run(steps, {"torch": torch.__version__}, *sys.argv[1:], check=peer.magnitude)
