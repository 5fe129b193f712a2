"""mlp.cpp, with PyTorch or with JAX, jit-compiled. Prints what Google Benchmark would.

usage: peer_mlp.py torch|jax [SECONDS]
"""
import os
import sys

import numpy as np

import peer

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=true"
CASES = {"32-32-32-32, batch 16": ((32, 32, 32, 32), 16), "784-256-10, batch 128": ((784, 256, 10), 128)}
LABELS = np.arange(128) * 7 % 10


def data(shape, scale):
    return (np.sin(np.arange(np.prod(shape), dtype=np.float64)) * scale).astype(np.float32).reshape(shape)


def start(sizes):
    return [a for n, m in zip(sizes, sizes[1:]) for a in (data((n, m), 0.3), data((m,), 0.1))]


def torch_step(sizes, batch):
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(2)
    parameters = [torch.tensor(p, requires_grad=True) for p in start(sizes)]
    x, target, labels = torch.tensor(data((batch, sizes[0]), 1)), torch.tensor(data((16, 32), 0.5)), torch.tensor(LABELS)

    def step():
        y = x
        for i in range(0, len(parameters), 2):
            y = torch.addmm(parameters[i + 1], y, parameters[i])
            if i + 2 < len(parameters):
                y = torch.tanh(y)
        loss = F.cross_entropy(y, labels) if sizes[-1] == 10 else F.mse_loss(y, target)
        with torch.no_grad():
            for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
                p.sub_(g, alpha=0.01)
        return loss.item()

    return step


def jax_step(sizes, batch):
    import jax
    import jax.numpy as jnp

    x, target = jnp.array(data((batch, sizes[0]), 1)), jnp.array(data((16, 32), 0.5))

    def loss(parameters):
        y = x
        for i in range(0, len(parameters), 2):
            y = y @ parameters[i] + parameters[i + 1]
            if i + 2 < len(parameters):
                y = jnp.tanh(y)
        if sizes[-1] == 10:
            return -jnp.mean(jax.nn.log_softmax(y)[jnp.arange(batch), LABELS])
        return jnp.mean((y - target) ** 2)

    @jax.jit
    def update(parameters):
        value, g = jax.value_and_grad(loss)(parameters)
        return value, [p - 0.01 * d for p, d in zip(parameters, g)]

    state = [jnp.array(p) for p in start(sizes)]

    def step():
        nonlocal state
        value, state = update(state)
        return float(value.block_until_ready())

    return step


make = {"torch": torch_step, "jax": jax_step}[sys.argv[1]]
peer.run(((name, make(*case)) for name, case in CASES.items()), {}, *sys.argv[2:])
