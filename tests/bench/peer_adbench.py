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

    return function, (alphas, means, icf)


def lstm(layers=2, count=1024, width=14):
    weights, around = (data(*a).requires_grad_() for a in (((2 * layers, 4 * width), 1, 0), ((3, width), 1, 1000)))
    state, sequence = data((2 * layers, width), 1, 2000), data((count, width), 1, 3000)

    def function():
        now, total, layer, ends = list(state), 0, weights.unbind(), around.unbind()
        for x, following in zip(sequence, sequence[1:]):
            x = x * ends[0]
            for i in range(0, 2 * layers, 2):
                gates = torch.cat((x, now[i], x, now[i])) * layer[i] + layer[i + 1]
                forget, ingate, outgate, change = gates.split(width)
                now[i + 1] = now[i + 1] * torch.sigmoid(forget) + torch.sigmoid(ingate) * torch.tanh(change)
                now[i] = x = torch.sigmoid(outgate) * torch.tanh(now[i + 1])
            said = x * ends[1] + ends[2]
            total = total + (following * (said - torch.log(torch.exp(said).sum() + 2))).sum()
        return -total / ((count - 1) * width)

    return function, (weights, around)


def value(function):
    with torch.no_grad():
        return [function()]


cases = []
for name, (function, parameters) in (("GMM d 10", mixture(10)), ("GMM d 32", mixture(32)), ("LSTM", lstm())):
    cases.append((f"{name}, function", lambda f=function: value(f)))
    cases.append((f"{name}, gradient", lambda f=function, p=parameters: torch.autograd.grad(f(), p)))
peer.run(cases, {}, *sys.argv[1:], check=peer.magnitude)
