"""Writes tests/nn/reference.txt and tests/optim/reference.txt: what PyTorch computes, in f64. usage: tests/reference.py

A line is a name, a shape in parentheses, and the values. Inputs and weights are not stored: they are filled() by a formula of
their name, here and in tests/reference.hpp.
"""
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
here = Path(__file__).parent


def filled(name, shape):
    n = torch.Size(shape).numel()
    return (0.5 * torch.sin(1.3 * torch.arange(n, dtype=torch.float64) + sum(map(ord, name)))).reshape(shape)


class File:
    def __init__(self, path):
        self.path, self.lines = path, []

    def add(self, name, x):
        shape = ",".join(str(n) for n in x.shape)
        self.lines.append(f"{name} ({shape}) " + " ".join(repr(v) for v in x.detach().reshape(-1).tolist()))

    def write(self):
        self.path.write_text("\n".join(self.lines) + "\n")


file = File(here / "nn/reference.txt")


def case(name, f, shapes, inputs=("x",), outputs=1):
    """f takes a dict of leaves, filled by their names; stores its values and, for the cotangent filled("g"), all gradients."""
    leaves = {k: filled(k, shape).requires_grad_() for k, shape in shapes.items()}
    y = f(leaves)
    file.add(f"{name}:y", y)
    grads = torch.autograd.grad(y, list(leaves.values()), filled("g", y.shape), allow_unused=True)
    for k, g in zip(leaves, grads):
        if g is not None:
            file.add(f"{name}:{k}", g)


def loaded(module, leaves, names):
    """The module as a function of leaves: names maps ours to PyTorch's."""
    return lambda *args: torch.func.functional_call(module, {theirs: leaves[ours] for ours, theirs in names.items()}, args)


# ---- layers

case("linear", lambda v: F.linear(v["x"], v["weight"], v["bias"]), {"x": (2, 3, 4), "weight": (5, 4), "bias": (5,)})
case("embedding", lambda v: F.embedding(torch.tensor([[3, 0], [3, 6]]), v["weight"]), {"weight": (7, 3)})
case("layer_norm", lambda v: F.layer_norm(v["x"], (4,), v["weight"], v["bias"], 1e-3), {"x": (2, 3, 4), "weight": (4,), "bias": (4,)})
case("rms_norm", lambda v: F.rms_norm(v["x"], (4,), v["weight"]), {"x": (2, 3, 4), "weight": (4,)})

for name, shape in {"batch_norm": (4, 3), "batch_norm of images": (2, 3, 4, 5)}.items():
    norm = nn.BatchNorm2d(3, momentum=0.2) if len(shape) == 4 else nn.BatchNorm1d(3, momentum=0.2)
    norm.running_mean, norm.running_var = filled("mean", (3,)), 1 + filled("variance", (3,))

    def train(v):
        y = F.batch_norm(v["x"], norm.running_mean, norm.running_var, v["weight"], v["bias"], True, 0.2, 1e-5)
        return y

    case(f"{name}, training", train, {"x": shape, "weight": (3,), "bias": (3,)})
    file.add(f"{name}, training:mean", norm.running_mean)
    file.add(f"{name}, training:variance", norm.running_var)
    case(name, lambda v: F.batch_norm(v["x"], norm.running_mean, norm.running_var, v["weight"], v["bias"], False, 0.2, 1e-5),
         {"x": shape, "weight": (3,), "bias": (3,)})

# ---- attention: width 6


def attention_shapes(width, narrow, memory=None):
    memory = memory or width
    return {"query.weight": (width, width), "query.bias": (width,), "key.weight": (narrow, memory), "key.bias": (narrow,),
            "value.weight": (narrow, memory), "value.bias": (narrow,), "out.weight": (width, width), "out.bias": (width,)}


def torch_attention(v, x, memory, heads, mask=None, causal=False, prefix=""):
    """nn.MultiheadAttention with our weights."""
    width = x.shape[-1]
    module = nn.MultiheadAttention(width, heads, batch_first=True, kdim=memory.shape[-1], vdim=memory.shape[-1])
    p = lambda name: v[prefix + name]
    weights = {"in_proj_bias": torch.cat([p("query.bias"), p("key.bias"), p("value.bias")]), "out_proj.weight": p("out.weight"),
               "out_proj.bias": p("out.bias")}
    if memory.shape[-1] == width:
        weights["in_proj_weight"] = torch.cat([p("query.weight"), p("key.weight"), p("value.weight")])
    else:
        weights |= {"q_proj_weight": p("query.weight"), "k_proj_weight": p("key.weight"), "v_proj_weight": p("value.weight")}
    if causal:
        mask = torch.ones(x.shape[1], memory.shape[1]).tril().bool()
    call = {"need_weights": False, "attn_mask": None if mask is None else ~mask}
    return torch.func.functional_call(module, weights, (x, memory, memory), call)[0]


def turned(x, base=10000.0):
    """Rotary positions, [batch, heads, T, D], by complex numbers."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None] * base ** (-torch.arange(half) / half)
    z = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angle), angle)
    return torch.cat([z.real, z.imag], -1)


def grouped_attention(v, x, heads, groups, rotary, prefix=""):
    p = lambda name: v.get(prefix + name)
    b, t, width = x.shape
    split = lambda y, n: y.reshape(b, t, n, -1).transpose(1, 2)
    q = split(F.linear(x, p("query.weight"), p("query.bias")), heads)
    k = split(F.linear(x, p("key.weight"), p("key.bias")), groups)
    w = split(F.linear(x, p("value.weight"), p("value.bias")), groups)
    if rotary:
        q, k = turned(q), turned(k)
    o = F.scaled_dot_product_attention(q, k, w, is_causal=True, enable_gqa=True)
    return F.linear(o.transpose(1, 2).reshape(b, t, width), p("out.weight"), p("out.bias"))


case("self attention", lambda v: torch_attention(v, v["x"], v["x"], 3), {"x": (2, 4, 6)} | attention_shapes(6, 6))
case("causal attention", lambda v: torch_attention(v, v["x"], v["x"], 2, causal=True), {"x": (2, 4, 6)} | attention_shapes(6, 6))
case("cross attention", lambda v: torch_attention(v, v["x"], v["memory"], 3),
     {"x": (2, 4, 6), "memory": (2, 3, 5)} | attention_shapes(6, 6, 5))
case("masked attention", lambda v: torch_attention(v, v["x"], v["x"], 2, mask=torch.tensor([[1, 0, 1], [1, 1, 0], [0, 1, 1]]).bool()),
     {"x": (2, 3, 6)} | attention_shapes(6, 6))
case("grouped attention", lambda v: grouped_attention(v, v["x"], 4, 2, False), {"x": (2, 5, 8)} | attention_shapes(8, 4))
case("rotary attention", lambda v: grouped_attention(v, v["x"], 4, 2, True), {"x": (2, 5, 16)} | attention_shapes(16, 8))

# ---- blocks


def gelu_block(v):
    layer = nn.TransformerEncoderLayer(6, 2, 10, 0, "gelu", norm_first=True, batch_first=True)
    layer.train()  # its fast path for evaluation takes no gradients
    a = "attention."
    weights = {"self_attn.in_proj_weight": torch.cat([v[a + k + ".weight"] for k in ("query", "key", "value")]),
               "self_attn.in_proj_bias": torch.cat([v[a + k + ".bias"] for k in ("query", "key", "value")]),
               "self_attn.out_proj.weight": v[a + "out.weight"], "self_attn.out_proj.bias": v[a + "out.bias"]}
    for ours, theirs in {"attention_norm": "norm1", "mlp_norm": "norm2", "mlp.up": "linear1", "mlp.down": "linear2"}.items():
        for part in ("weight", "bias"):
            weights[f"{theirs}.{part}"] = v[f"{ours}.{part}"]
    mask = nn.Transformer.generate_square_subsequent_mask(4)
    return torch.func.functional_call(layer, weights, (v["x"],), {"src_mask": mask, "is_causal": True})


def swiglu_block(v):
    y = v["x"] + grouped_attention(v, F.rms_norm(v["x"], (8,), v["attention_norm.weight"]), 2, 1, True, "attention.")
    h = F.rms_norm(y, (8,), v["mlp_norm.weight"])
    return y + F.linear(F.silu(F.linear(h, v["mlp.gate.weight"])) * F.linear(h, v["mlp.up.weight"]), v["mlp.down.weight"])


blocks = {"attention." + k: s for k, s in attention_shapes(6, 6).items()}
blocks |= {"attention_norm.weight": (6,), "attention_norm.bias": (6,), "mlp_norm.weight": (6,), "mlp_norm.bias": (6,),
           "mlp.up.weight": (10, 6), "mlp.up.bias": (10,), "mlp.down.weight": (6, 10), "mlp.down.bias": (6,)}
case("gelu block", gelu_block, {"x": (2, 4, 6)} | blocks)
blocks = {"attention." + k: s for k, s in attention_shapes(8, 4).items() if k.endswith("weight")}
blocks |= {"attention_norm.weight": (8,), "mlp_norm.weight": (8,), "mlp.up.weight": (12, 8), "mlp.gate.weight": (12, 8),
           "mlp.down.weight": (8, 12)}
case("swiglu block", swiglu_block, {"x": (2, 5, 8)} | blocks)

# ---- positions and feed-forward parts

case("learned positions", lambda v: v["x"] + F.embedding(torch.arange(2, 6), v["weight"]), {"x": (2, 4, 3), "weight": (7, 3)})
mlp = {"x": (2, 3, 4), "up.weight": (6, 4), "up.bias": (6,), "down.weight": (4, 6), "down.bias": (4,)}
for name, activation in {"relu": nn.ReLU(), "gelu": nn.GELU(), "gelu_tanh": nn.GELU("tanh"), "silu": nn.SiLU()}.items():
    module = nn.Sequential(nn.Linear(4, 6), activation, nn.Linear(6, 4))
    names = {f"{ours}.{part}": f"{theirs}.{part}" for ours, theirs in (("up", 0), ("down", 2)) for part in ("weight", "bias")}
    case(f"mlp of {name}", lambda v: loaded(module, v, names)(v["x"]), mlp)


def swiglu(v):
    up, gate = (F.linear(v["x"], v[f"{k}.weight"], v[f"{k}.bias"]) for k in ("up", "gate"))
    return F.linear(F.silu(gate) * up, v["down.weight"], v["down.bias"])


case("mlp of swiglu", swiglu, mlp | {"gate.weight": (6, 4), "gate.bias": (6,)})

# ---- convolution and pooling

case("conv1d", lambda v: F.conv1d(v["x"], v["weight"], v["bias"], stride=2, padding=3, dilation=2, groups=2),
     {"x": (2, 4, 9), "weight": (6, 2, 3), "bias": (6,)})
case("conv2d", lambda v: F.conv2d(v["x"], v["weight"], v["bias"], padding=1), {"x": (2, 3, 5, 4), "weight": (4, 3, 3, 3), "bias": (4,)})
case("conv2d, strided", lambda v: F.conv2d(v["x"], v["weight"], None, stride=(2, 1), padding=(0, 2), dilation=(1, 2), groups=3),
     {"x": (2, 6, 7, 5), "weight": (3, 2, 2, 3)})
case("max_pool2d", lambda v: F.max_pool2d(v["x"], 2), {"x": (2, 3, 5, 6)})
case("max_pool2d, overlapping", lambda v: F.max_pool2d(v["x"], (3, 2), stride=(1, 2), padding=(1, 0)), {"x": (2, 3, 5, 6)})
case("avg_pool2d", lambda v: F.avg_pool2d(v["x"], 2), {"x": (2, 3, 5, 6)})
case("avg_pool2d, overlapping", lambda v: F.avg_pool2d(v["x"], (3, 2), stride=(1, 2), padding=(1, 1)), {"x": (2, 3, 5, 6)})

# ---- recurrent cells

cell = {"weight_ih": (None, 4), "weight_hh": (None, 5), "bias_ih": (None,), "bias_hh": (None,)}
for name, kind, gates in (("gru", nn.GRUCell, 3), ("lstm", nn.LSTMCell, 4)):
    shapes = {k: (gates * 5, *s[1:]) for k, s in cell.items()} | {"x": (2, 4), "h": (2, 5)}
    if name == "lstm":
        shapes["c"] = (2, 5)

    def steps(v):
        f = loaded(kind(4, 5), v, {k: k for k in cell})
        if name == "gru":
            return f(v["x"], f(v["x"], v["h"]))
        h, c = f(v["x"], f(v["x"], (v["h"], v["c"])))
        return torch.cat([h, c], 1)

    case(name, steps, shapes)

# ---- losses

pair = {"x": (3, 4), "target": (3, 4)}
labels = torch.tensor([[2, 0], [1, 4]])
signs = torch.tensor([1.0, -1.0, -1.0, 1.0])
case("mse", lambda v: F.mse_loss(v["x"], v["target"]), pair)
case("l1", lambda v: F.l1_loss(v["x"], v["target"]), pair)
case("huber", lambda v: F.huber_loss(v["x"], v["target"], delta=0.3), pair)
case("binary_cross_entropy_with_logits", lambda v: F.binary_cross_entropy_with_logits(9 * v["x"], v["target"] + 0.5), pair)
case("binary_cross_entropy_with_logits, weighted", lambda v: F.binary_cross_entropy_with_logits(
    v["x"], v["target"] + 0.5, weight=1 + filled("w", (4,)), pos_weight=2 + filled("p", (4,))), pair)
case("hinge", lambda v: F.relu(1 - 3 * v["x"] * signs).mean(), {"x": (3, 4)})
case("kl_div", lambda v: F.kl_div(F.log_softmax(v["x"], -1), F.softmax(v["target"], -1), reduction="batchmean"), pair)
case("nll", lambda v: F.nll_loss(v["x"].movedim(-1, 1), labels), {"x": (2, 2, 5)})
case("nll, weighted", lambda v: F.nll_loss(v["x"].movedim(-1, 1), labels, weight=1 + filled("w", (5,)), ignore_index=0), {"x": (2, 2, 5)})
file.write()

# ---- optimizers: two parameters, whose gradient in step t is sin(0.7 i + 0.3 t + shape[0]) + 0.1 p

file = File(here / "optim/reference.txt")


def trained(name, kind, steps=(1, 3, 100), joins=0, **options):
    """The second parameter joins after so many steps."""
    parameters = [filled("weight", (3, 5)).requires_grad_(), filled("bias", (7,)).requires_grad_()]
    optimizer = kind(parameters[:1], **options)
    for t in range(steps[-1]):
        if t == joins:
            optimizer.add_param_group({"params": parameters[1:]})
        for p in parameters:
            p.grad = torch.sin(0.7 * torch.arange(p.numel()).reshape(p.shape) + 0.3 * t + p.shape[0]) + 0.1 * p.detach()
        optimizer.step()
        if t + 1 in steps:
            for k, p in zip(("weight", "bias"), parameters):
                file.add(f"{name}:{t + 1}:{k}", p)


o = torch.optim
trained("SGD", o.SGD, lr=0.03)
trained("SGD, momentum", o.SGD, lr=0.03, momentum=0.9, dampening=0.2, weight_decay=0.1)
trained("SGD, Nesterov", o.SGD, lr=0.03, momentum=0.8, nesterov=True)
trained("Adam", o.Adam)
trained("Adam, decay", o.Adam, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.1)
trained("AdamW", o.AdamW)
trained("AdamW, decay", o.AdamW, lr=0.02, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)
trained("Adam, joined", o.Adam, (51, 100), 50, lr=0.02)
trained("AdamW, joined", o.AdamW, (51, 100), 50, lr=0.02)
trained("RMSprop", o.RMSprop)
trained("RMSprop, all", o.RMSprop, lr=0.02, alpha=0.9, eps=1e-3, weight_decay=0.1, momentum=0.7, centered=True)
trained("Adagrad", o.Adagrad)
trained("Adagrad, all", o.Adagrad, lr=0.05, lr_decay=0.02, weight_decay=0.1, initial_accumulator_value=0.3, eps=1e-3)

# clip_norm and clip_value
grads = [nn.Parameter(torch.zeros(3, 5)), nn.Parameter(torch.zeros(7))]
for bound in (0.7, 70.0):
    for g, name in zip(grads, ("weight", "bias")):
        g.grad = filled(name, g.shape)
    file.add(f"clip_norm:{bound}:norm", nn.utils.clip_grad_norm_(grads, bound))
    for g, name in zip(grads, ("weight", "bias")):
        file.add(f"clip_norm:{bound}:{name}", g.grad)

# Schedules: the rate of steps 0 ... 39 under a base rate of 1
parameter = nn.Parameter(torch.zeros(1))


def scheduled(name, make, lr=1.0):
    optimizer = o.SGD([parameter], lr=lr)
    schedule = make(optimizer)
    rates = []
    for _ in range(40):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    file.add(f"schedule:{name}", torch.tensor(rates))


s = o.lr_scheduler
scheduled("cosine", lambda x: s.CosineAnnealingLR(x, 39, 0.1))
scheduled("linear", lambda x: s.LinearLR(x, 1, 0.2, 39))
scheduled("step_decay", lambda x: s.StepLR(x, 7, 0.3))
scheduled("warmup", lambda x: s.LinearLR(x, 1 / 8, 1, 7))
scheduled("one_cycle", lambda x: s.OneCycleLR(x, 1.0, 41, pct_start=0.25, div_factor=20, final_div_factor=1000, cycle_momentum=False))
file.write()
