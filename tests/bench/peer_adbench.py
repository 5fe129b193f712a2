"""adbench.cpp, with PyTorch. Prints what Google Benchmark would."""
import math
import sys

import torch

import peer

torch.set_num_threads(2)
torch.set_default_dtype(torch.float64)


def data(shape, scale, first):
    size = torch.Size(shape).numel()
    return (torch.arange(size, dtype=torch.float64) + first).sin().mul(scale).reshape(shape)


def mixture(d, n=1000, k=25, gamma=1.0, m=0):
    alphas, means, icf = (data(*a).requires_grad_() for a in (((k,), 1, 0), ((k, d), 1, 100), ((k, d * (d + 1) // 2), 0.5, 5000)))
    x = data((n, d), 1, 20000)
    columns, rows = torch.triu_indices(d, d, 1)
    freedom = d + m + 1
    log_gamma = 0.25 * d * (d - 1) * math.log(math.pi) + sum(math.lgamma(0.5 * freedom + 0.5 * (1 - j)) for j in range(1, d + 1))
    constant = -n * d * 0.5 * math.log(2 * math.pi) - k * (freedom * d * (math.log(gamma) - 0.5 * math.log(2)) - log_gamma)

    def function():
        logs, below = icf[:, :d], icf[:, d:]
        diagonal, log_det = logs.exp(), logs.sum(1)
        q = torch.diag_embed(diagonal).index_put((torch.arange(k)[:, None], rows, columns), below)
        turned = x @ q.reshape(k * d, d).T - (q @ means[:, :, None]).reshape(k * d)
        distances = turned.reshape(n, k, d).square().sum(2)
        likelihood = torch.logsumexp(alphas + log_det - 0.5 * distances, 1).sum() - n * torch.logsumexp(alphas, 0)
        return likelihood + 0.5 * gamma**2 * (diagonal.square().sum() + below.square().sum()) - m * log_det.sum() + constant

    def value():
        with torch.no_grad():
            return [function()]

    return value, lambda: torch.autograd.grad(function(), (alphas, means, icf))


cases = []
for d in (10, 32):
    value, gradient = mixture(d)
    cases += [(f"GMM d {d}, function", value), (f"GMM d {d}, gradient", gradient)]
peer.run(cases, {}, *sys.argv[1:], check=peer.magnitude)
