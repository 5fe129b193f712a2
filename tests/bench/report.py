"""Runs the benchmark programs in a build folder and their peers, by turns, and prints the medians.

usage: report.py BUILD      (tests/bench/run builds and calls this)
"""
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 5
MIN_TIME = "0.1"  # seconds for each case and round
# At most this share of the peer's time.
CHAIN = {"forward": 1 / 18, "forward + backward to x": 1 / 60}
OPS = {"exp": 0.6, "softmax": 0.6, "layer_norm": 0.6, "gelu": 0.35, "tanh": 0.35}
COPY, BATCHED, EINSUM = 2.5, 0.7, 1.2
ATTENTION = {
    "B1 H8 T1024 D64 causal": 0.55,
    "B1 H8 T1024 D64 full": 0.82,
    "B1 H4 T4096 D64 causal": 0.8,
    "B4 H8 T256 D64 causal": 0.5,
    "B12 H4 T64 D32 causal": 0.4,
    "B1 H1 T2048 D64 causal": 0.6,
    "B1 H3 T1024 D128 full": 0.82,
    "B1 H8 T1024 D64 full, f64": 0.65,
    "attention_block": 0.65,
}
GMM, GMM_GRADIENT = {"GMM d 10, gradient": 0.5, "GMM d 32, gradient": 0.5}, 4
GPT = 0.6
SMALL, LARGE = "32-32-32-32, batch 16", "784-256-10, batch 128"


def run(command):
    """Google Benchmark's JSON, or the reason why there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None, "not built"
    if done.returncode:
        return None, (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
    return json.loads(done.stdout) | {"remark": (done.stderr.strip().splitlines() or [""])[-1]}, None


def native(program):
    return [program, "--benchmark_format=json", "--benchmark_min_time=" + MIN_TIME]


class Side:
    """One program's times over the rounds: name -> [ns]."""

    def __init__(self, command, clock="real_time", package="torch"):
        self.command, self.clock = command, clock
        self.times, self.checks, self.rates, self.context = {}, {}, {}, {}
        self.skipped = None if command else f"no {package}"

    def round(self):
        if self.skipped:
            return
        result, self.skipped = run(self.command)
        if self.skipped:
            return
        self.context, self.remark = result["context"], result["remark"]
        for row in result["benchmarks"]:
            name = row["name"].replace("/real_time", "").replace("/threads:", ", threads: ")
            self.times.setdefault(name, []).append(row[self.clock])
            self.checks[name] = row.get("check")
            self.rates.setdefault(name, []).append(row.get("rate"))


def table(ours, peers, per, check=True):
    """A line for each case: our time, and by each peer (name, side, targets) its time and the ratio. Results are compared."""
    for name, side, _ in peers:
        if side.skipped:
            print(f"({name} skipped: {side.skipped})")
    peers = [peer for peer in peers if not peer[1].skipped]
    print(f"{'':28}{'xtgrad':>10}" + "".join(f"{name:>10}{'ratio':>8}  {'in the rounds':15}" for name, _, _ in peers).rstrip())
    for case, times in ours.times.items():
        line, remarks = f"{case:28}{statistics.median(times) / per:10.1f}", ""
        for name, side, targets in peers:
            if case not in side.times:
                line += f"{'-':>10}{'':25}"
                continue
            theirs = statistics.median(side.times[case])
            ratio = statistics.median(times) / theirs
            each = [a / b for a, b in zip(times, side.times[case])]
            line += f"{theirs / per:10.1f}{ratio:8.3f}  {f'{min(each):.3f}..{max(each):.3f}':15}"
            if case in targets:
                remarks += f"  at most {targets[case]:.3g} of {name}: {'met' if ratio <= targets[case] else 'missed'}"
            a, b = ours.checks[case], side.checks[case]
            if check and not abs(a - b) <= 1e-3 * abs(b):
                remarks += f"  DIFFERENT RESULTS: {a:g} and {b:g}"
        print((line + remarks).rstrip())


def attention_shares(attention, machine, build):
    """Rates and ratios of attention, and its memory."""
    times = {name: statistics.median(list_) for name, list_ in attention.times.items()}
    full, causal = "B1 H8 T1024 D64 full", "B1 H8 T1024 D64 causal"
    rate = 14 * 8 * 1024**2 * 64 / times[full]
    sgemm = statistics.median(next(rates for name, rates in machine.rates.items() if name.startswith("sgemm")))
    print(f"{full}: {rate:.1f} GFLOP/s, {rate / sgemm:.2f} of sgemm, at least 0.85")
    for case in (full, causal):
        jvp = (times[case + ", forward + JVP"] - times[case + ", forward"]) / times[case + ", forward"]
        print(f"{case}: JVP {jvp:.2f} of the forward, at most 3; HVP {times[case + ', HVP'] / times[case]:.2f} of the first order, at most 4.2")
    memory = subprocess.run([f"{build}/bench_attention_memory"], capture_output=True, text=True).stdout.strip()
    print(f"T16384 D64 causal, forward + backward + HVP: {memory} MB beyond inputs and results, at most 100")


def transforms_shares(transforms, build):
    """The cost of a jacobian and of vectorized formulas beside the plain way; the memory of checkpoints."""
    times = {name: statistics.median(list_) for name, list_ in transforms.times.items()}
    one, anew, forward, walk = (times["jacobian 64 x 64" + rest] for rest in ("", ", vjp anew", ", forward alone", ", forward + one walk"))
    parts = forward + 64 * (walk - forward)
    print(f"jacobian of 64 results: {one / 1e3:.0f} us, {one / anew:.2f} of 64 times vjp, {one / parts:.2f} of a forward pass and 64 reverse walks")
    for name in ("lens", "bell", "lens HVP"):
        for dtype in ("f32", "f64"):
            one, separate = (times[f"{name}, {dtype}, {way}"] for way in ("vectorized", "separate ops"))
            print(f"{name}, {dtype}, 10^6 elements: vectorized {one / 1e3:.0f} us, {separate / one:.1f} times faster than separate ops; "
                  f"at least 3: {'met' if separate >= 3 * one else 'missed'}")
    for dtype in ("f32", "f64"):
        by_hand, separate = (times[f"bell, {dtype}, {way}"] for way in ("by hand", "separate ops"))
        print(f"bell, {dtype}, 10^6 elements: loops written for it {by_hand / 1e3:.0f} us, {separate / by_hand:.1f} times faster than separate ops")
    for name in ("lens of 4, f64", "bell of 4, f64"):
        one, separate = (times[f"{name}, {way}"] for way in ("vectorized", "separate ops"))
        print(f"{name}: vectorized {one / 1e3:.1f} us, in separate ops {separate / 1e3:.1f}")
    for what, length in (("stored", 0), ("in 8 checkpoints of 8", 8), ("in checkpoints of 22, and those of 2", 22)):
        memory = subprocess.run([f"{build}/bench_checkpoint_memory", str(length)], capture_output=True, text=True).stdout.strip()
        print(f"64 layers of 4 MB, forward + backward, {what}: {memory} MB")


def gpt_shares(gpt, peers):
    """The share of the fastest peer's time, and memory."""
    peers = [(name, side) for name, side in peers if not side.skipped]
    if not peers:
        return
    median = lambda side: statistics.median(next(iter(side.times.values())))
    name, fastest = min(peers, key=lambda peer: median(peer[1]))
    share = median(gpt) / median(fastest)
    print(f"{share:.2f} of the fastest, {name}; at most {GPT}: {'met' if share <= GPT else 'missed'}")
    for name, side in [("xtgrad", gpt), *peers]:
        print(f"{name}: {side.remark}")


def cpu_model():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def work_of_others():
    """Seconds of processor time, since the machine started, that were not this program's and its children's."""
    busy = Path("/proc/stat").read_text().split()[1:9]
    del busy[3:5]  # idle
    return sum(map(int, busy)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def main(build):
    has_torch, has_jax = (importlib.util.find_spec(name) is not None for name in ("torch", "jax"))
    here = Path(__file__).parent
    machine, ops, memory, products, attention, mlp, adbench, transforms = ours = [
        Side(native(f"{build}/bench_{name}")) for name in ("machine", "ops", "memory", "products", "attention", "mlp", "adbench", "transforms")]
    copies = Side([f"{build}/bench_memory", "--copies", *native("")[1:]])
    chain = Side(native(f"{build}/bench_chain"), "cpu_time")  # one thread: what others run beside it counts less
    peer_chain = Side(has_torch and native(f"{build}/bench_peer_chain"), "cpu_time")
    peer_ops = Side(has_torch and [sys.executable, str(here / "peer_ops.py"), MIN_TIME])
    peer_attention = Side(has_torch and [sys.executable, str(here / "peer_attention.py"), MIN_TIME])
    peer_mlp = Side(has_torch and native(f"{build}/bench_peer_mlp"))
    torch_mlp = Side(has_torch and [sys.executable, str(here / "peer_mlp.py"), "torch", MIN_TIME])
    jax_mlp = Side(has_jax and [sys.executable, str(here / "peer_mlp.py"), "jax", MIN_TIME], package="jax")
    peer_adbench = Side(has_torch and [sys.executable, str(here / "peer_adbench.py"), MIN_TIME])
    gpt = Side(native(f"{build}/bench_gpt"))
    peers_gpt = [(name, Side(there and [sys.executable, str(here / "peer_gpt.py"), which, MIN_TIME], package=package))
                 for name, which, there, package in (("PyTorch", "torch", has_torch, "torch"),
                                                     ("compiled", "compiled", has_torch, "torch"), ("JAX", "jax", has_jax, "jax"))]
    start, others = time.monotonic(), work_of_others()
    for _ in range(ROUNDS):
        for side in (machine, chain, peer_chain, ops, peer_ops, memory, copies, products, attention, peer_attention,
                     mlp, peer_mlp, torch_mlp, jax_mlp, adbench, peer_adbench, transforms, gpt, *(side for _, side in peers_gpt)):
            side.round()
            if side in (*ours, chain, copies, gpt) and side.skipped:
                sys.exit(f"{side.command[0]}: {side.skipped}")

    others = (work_of_others() - others) / (time.monotonic() - start)

    rows = [("CPU", cpu_model()), ("cores", f"{os.cpu_count()}; other work took {others:.2f} of them")]
    rows.append(("xtgrad's instruction set", chain.context["instruction set"]))
    rows.append(("torch", peer_ops.context.get("torch", f"skipped: {peer_ops.skipped}")))
    rows += [(name, f"{statistics.median(rates):.4g}") for name, rates in machine.rates.items()]
    for name, value in rows:
        print(f"{name:46}{value}")
    if others > 0.2:
        print("The machine was busy: do not trust these times, least of all those of two threads.")
    print(f"Medians of {ROUNDS} rounds; ratio = xtgrad / peer.")
    print("\nchain: 1000 ops and a sum on 4 f32, 1 thread, ns per op, CPU time")
    table(chain, [("libtorch", peer_chain, CHAIN)], 1000)
    print("\nops: forward + backward to all inputs, f32, 1024 x 1024 unless said, 2 threads, us")
    table(ops, [("PyTorch", peer_ops, OPS)], 1000)
    print("\nmoving and adding f32, n x n, 2 threads, beside a copy that reads and writes as many bytes, us")
    table(memory, [("copy", copies, {case: COPY for case in memory.times})], 1000)
    print("\nproducts, forward, f32, 2 threads")
    rate = {case: statistics.median(rates) for case, rates in (machine.rates | products.rates).items()}
    for case, peer, least in (("matmul, 64 of 64 x 64", "sgemm of 1024 x 1024, GFLOP/s", BATCHED),
                              ("scores by einsum", "scores by matmul", 1 / EINSUM)):
        share = rate[case] / rate[peer]
        print(f"{case:28}{rate[case]:10.1f} GFLOP/s, {share:.2f} of {rate[peer]:.1f} ({peer.split(',')[0]}); "
              f"at least {least:.2f}: {'met' if share >= least else 'missed'}")
    print("\nattention: forward + backward, 2 threads, us")
    table(attention, [("PyTorch", peer_attention, ATTENTION)], 1000)
    attention_shares(attention, machine, build)
    print("\ntransforms, 2 threads")
    transforms_shares(transforms, build)
    print("\ntraining steps of tanh networks, f32, 2 threads, us")
    table(mlp, [("libtorch", peer_mlp, {SMALL: 0.2}), ("PyTorch", torch_mlp, {LARGE: 0.7}), ("JAX", jax_mlp, {SMALL: 0.5})], 1000)
    print("\ntraining step of a small GPT, f32, 2 threads, ms")
    table(gpt, [(name, side, {}) for name, side in peers_gpt], 1e6, check=False)
    gpt_shares(gpt, peers_gpt)
    print("\nADBench's objectives, f64, 2 threads, us")
    table(adbench, [("PyTorch", peer_adbench, GMM)], 1000)
    times = {case: statistics.median(rounds) for case, rounds in adbench.times.items()}
    for case in times:
        name, what = case.rsplit(", ", 1)
        if what != "function":
            share = times[case] / times[name + ", function"]
            target = f", at most {GMM_GRADIENT}: {'met' if share <= GMM_GRADIENT else 'missed'}" if case in GMM else ""
            print(f"{case}: {share:.2f} of the function{target}")


main(sys.argv[1])
