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


def rotated(r, x):
    angle = (r * r).sum(0).sqrt()
    axis = r / angle
    return x * angle.cos() + torch.linalg.cross(axis.expand_as(x), x, dim=0) * angle.sin() + axis * ((axis * x).sum(0) * (1 - angle.cos()))


def bundle(cameras=49, points=7776, p=31843):
    every, seen = torch.arange(p), data((2, p), 1, 60000)
    of_each = tuple(x.requires_grad_() for x in ((data((11, cameras), 0.05, 0) + 0.1)[:, every % cameras],
                                                 (data((3, points), 1, 1000) + 3)[:, every % points], data((p,), 0.2, 30000) + 1))

    def function():
        camera, point, weight = of_each
        turned = rotated(camera[0:3], point - camera[3:6])
        flat = turned[0:2] / turned[2]
        square = flat.square().sum(0)
        distortion = 1 + square * (camera[9] + camera[10] * square)
        return weight * (flat * (distortion * camera[6]) + camera[7:9] - seen)

    def jacobian():
        residuals = function()
        rows = [torch.tensor(row)[:, None].expand(2, p) for row in ((1.0, 0.0), (0.0, 1.0))]
        return [block for row in rows for block in torch.autograd.grad(residuals, of_each, row, retain_graph=row is rows[0])]

    return function, jacobian


def hand(vertices=544):
    parents = (-1, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19, 0)
    bases, inverses = torch.eye(4) + data((22, 4, 4), 0.1, 0), torch.eye(4) + data((22, 4, 4), 0.1, 400)
    positions, weights = data((vertices, 3), 1, 1000), data((22, vertices), 0.1, 5000)
    points, theta = data((vertices, 3), 1, 30000), data((26,), 0.5, 1)
    places = torch.full((22, 2), 26)
    for finger in range(5):
        for joint, axis, angle in ((0, 0, 0), (0, 1, 1), (1, 0, 2), (2, 0, 3)):
            places[2 + 4 * finger + joint, axis] = 6 + 4 * finger + angle
    homogeneous = torch.cat((positions.T, torch.ones(1, vertices)))
    planes = []
    for i, j in ((1, 2), (0, 1)):
        plane, quarter = torch.zeros(4, 4), torch.zeros(4, 4)
        plane[i, i] = plane[j, j] = quarter[j, i] = 1
        quarter[i, j] = -1
        planes.append((plane, quarter, torch.eye(4) - plane))

    def of(theta):
        angles = torch.cat((theta, torch.zeros(1)))[places]
        about_x, about_z = (a.cos() * plane + a.sin() * quarter + rest
                            for a, (plane, quarter, rest) in zip(angles.T[:, :, None, None], planes))
        relatives = bases @ (about_z @ about_x)
        absolutes = []
        for relative, parent in zip(relatives, parents):
            absolutes.append(relative if parent < 0 else absolutes[parent] @ relative)
        carried = ((torch.stack(absolutes) @ inverses @ homogeneous) * weights[:, None]).sum(0)
        return points - rotated(theta[:3, None], carried[:3]).T - theta[3:6]

    return lambda: of(theta), lambda: [torch.func.jacfwd(of)(theta)]


def value(function):
    with torch.no_grad():
        return [function()]


cases = []
for name, (function, parameters) in (("GMM d 10", mixture(10)), ("GMM d 32", mixture(32)), ("LSTM", lstm())):
    cases.append((f"{name}, function", lambda f=function: value(f)))
    cases.append((f"{name}, gradient", lambda f=function, p=parameters: torch.autograd.grad(f(), p)))
for name, (function, jacobian) in (("BA", bundle()), ("HAND", hand())):
    cases.append((f"{name}, function", lambda f=function: value(f)))
    cases.append((f"{name}, Jacobian", jacobian))
peer.run(cases, {}, *sys.argv[1:], check=peer.magnitude)
