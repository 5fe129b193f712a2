"""gpt.cpp, with PyTorch (torch), compiled PyTorch (compiled) or compiled JAX (jax). Prints what Google Benchmark would.

usage: peer_gpt.py torch|compiled|jax [SECONDS]
"""
import math
import resource
import sys

import numpy as np

import peer

LAYERS, HEADS, WIDTH, CONTEXT, BATCH, VOCABULARY = 4, 4, 128, 64, 12, 65
TOKENS = np.random.default_rng(1).integers(0, VOCABULARY, (BATCH, CONTEXT + 1))


def torch_step(compiled):
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(2)
    torch.manual_seed(1)

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention_norm, self.mlp_norm = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.up, self.down = nn.Linear(WIDTH, 4 * WIDTH), nn.Linear(4 * WIDTH, WIDTH)

        def forward(self, x):
            q, k, v = (y.view(BATCH, CONTEXT, HEADS, -1).transpose(1, 2)
                       for y in self.qkv(self.attention_norm(x)).chunk(3, -1))
            y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(y.transpose(1, 2).reshape(BATCH, CONTEXT, WIDTH))
            return x + self.down(F.gelu(self.up(self.mlp_norm(x))))

    class Gpt(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens = nn.Embedding(VOCABULARY, WIDTH)
            self.positions = nn.Parameter(torch.randn(CONTEXT, WIDTH) * 0.02)
            self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
            self.norm = nn.LayerNorm(WIDTH)
            nn.init.normal_(self.tokens.weight, std=0.02)

        def forward(self, ids, targets):
            logits = F.linear(self.norm(self.blocks(self.tokens(ids) + self.positions)), self.tokens.weight)
            return F.cross_entropy(logits.view(-1, VOCABULARY), targets.reshape(-1))

    model = Gpt()
    decay = [p for p in model.parameters() if p.dim() > 1]
    rest = [p for p in model.parameters() if p.dim() <= 1]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
    inputs, targets = torch.tensor(TOKENS[:, :-1]), torch.tensor(TOKENS[:, 1:])
    forward = torch.compile(model) if compiled else model

    def step():
        loss = forward(inputs, targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def jax_step():
    import jax
    import jax.numpy as jnp

    random = np.random.default_rng(2)
    normal = lambda *shape: jnp.array(random.normal(0, 0.02, shape), jnp.float32)
    linear = lambda n, m: (normal(n, m), jnp.zeros(m))
    norm = lambda: (jnp.ones(WIDTH), jnp.zeros(WIDTH))
    parameters = {
        "tokens": normal(VOCABULARY, WIDTH), "positions": normal(CONTEXT, WIDTH), "norm": norm(),
        "blocks": [{"n1": norm(), "qkv": linear(WIDTH, 3 * WIDTH), "out": linear(WIDTH, WIDTH), "n2": norm(),
                    "up": linear(WIDTH, 4 * WIDTH), "down": linear(4 * WIDTH, WIDTH)} for _ in range(LAYERS)],
    }
    hidden = jnp.where(jnp.tril(jnp.ones((CONTEXT, CONTEXT))) > 0, 0, -jnp.inf)
    inputs, targets = jnp.array(TOKENS[:, :-1]), jnp.array(TOKENS[:, 1:])

    def layer_norm(x, w):
        x = x - x.mean(-1, keepdims=True)
        return x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w[0] + w[1]

    def loss(p):
        x = p["tokens"][inputs] + p["positions"]
        for b in p["blocks"]:
            y = layer_norm(x, b["n1"]) @ b["qkv"][0] + b["qkv"][1]
            q, k, v = (z.reshape(BATCH, CONTEXT, HEADS, -1) for z in jnp.split(y, 3, -1))
            scores = jnp.einsum("bthd,bshd->bhts", q, k) / math.sqrt(WIDTH // HEADS) + hidden
            y = jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, -1), v).reshape(BATCH, CONTEXT, WIDTH)
            x = x + y @ b["out"][0] + b["out"][1]
            y = jax.nn.gelu(layer_norm(x, b["n2"]) @ b["up"][0] + b["up"][1], approximate=False)
            x = x + y @ b["down"][0] + b["down"][1]
        logits = jax.nn.log_softmax(layer_norm(x, p["norm"]) @ p["tokens"].T, -1)
        return -jnp.take_along_axis(logits, targets[..., None], -1).mean()

    @jax.jit
    def update(state):
        p, m, v, t = state
        value, g = jax.value_and_grad(loss)(p)
        size = jnp.sqrt(sum(jnp.sum(x * x) for x in jax.tree.leaves(g)))
        g = jax.tree.map(lambda x: x * jnp.minimum(1, 1 / (size + 1e-6)), g)
        t = t + 1
        m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
        v = jax.tree.map(lambda a, b: 0.99 * a + 0.01 * b * b, v, g)

        def move(x, a, b):
            decayed = x * (1 - 1e-3 * 0.1) if x.ndim > 1 else x
            return decayed - 1e-3 * (a / (1 - 0.9**t)) / (jnp.sqrt(b / (1 - 0.99**t)) + 1e-8)

        return value, (jax.tree.map(move, p, m, v), m, v, t)

    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state = (parameters, zeros, zeros, 0.0)

    def step():
        nonlocal state
        value, state = update(state)
        return float(value.block_until_ready())

    return step


who = sys.argv[1]
step = jax_step() if who == "jax" else torch_step(who == "compiled")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peer.run([("GPT 4 x 128, context 64, batch 12", step)], {}, *sys.argv[2:])
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"peak memory {after // 1024} MB, of it {before // 1024} MB before the first step", file=sys.stderr)
