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
TARGETS = {"forward": 18, "forward + backward to x": 60}  # at most 1/n of the peer's time


def run(command):
    """Google Benchmark's JSON, or the reason why there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return None, "not built"
    if done.returncode:
        return None, (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
    return json.loads(done.stdout), None


def native(program):
    return [program, "--benchmark_format=json", "--benchmark_min_time=" + MIN_TIME]


class Side:
    """One program's times over the rounds: name -> [ns]."""

    def __init__(self, command, clock="real_time"):
        self.command, self.clock = command, clock
        self.times, self.checks, self.rates, self.context = {}, {}, {}, {}
        self.skipped = None if command else "no torch"

    def round(self):
        if self.skipped:
            return
        result, self.skipped = run(self.command)
        if self.skipped:
            return
        self.context = result["context"]
        for row in result["benchmarks"]:
            name = row["name"].replace("/real_time", "").replace("/threads:", ", threads: ")
            self.times.setdefault(name, []).append(row[self.clock])
            self.checks[name] = row.get("check")
            self.rates.setdefault(name, []).append(row.get("rate"))


def table(ours, peer, peer_name, per, targets):
    print(f"{'':28}{'xtgrad':>10}{peer_name:>10}{'ratio':>9}  in the rounds{'    target' if targets else ''}")
    for name, times in ours.times.items():
        mine = statistics.median(times)
        line = f"{name:28}{mine / per:10.1f}"
        if peer.skipped:
            print(line + f"{'skipped':>10}")
            continue
        theirs = statistics.median(peer.times[name])
        ratio = mine / theirs
        each = [a / b for a, b in zip(times, peer.times[name])]
        line += f"{theirs / per:10.1f}{ratio:9.3f}  {f'{min(each):.3f}..{max(each):.3f}':15}"
        if name in targets:
            line += f"  1/{targets[name]}: {'met' if ratio <= 1 / targets[name] else 'missed'}, 1/{1 / ratio:.1f}"
        a, b = ours.checks[name], peer.checks[name]
        if not abs(a - b) <= 1e-3 * abs(b):
            line += f"  DIFFERENT RESULTS: {a:g} and {b:g}"
        print(line.rstrip())
    if peer.skipped:
        print(f"({peer_name} skipped: {peer.skipped})")


def cpu_model():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def work_of_others():
    """Seconds of processor time, since the machine started, that were not this program's and its children's."""
    busy = Path("/proc/stat").read_text().split()[1:9]
    del busy[3:5]  # idle
    return sum(map(int, busy)) / os.sysconf("SC_CLK_TCK") - sum(os.times()[:4])


def main(build):
    has_torch = importlib.util.find_spec("torch") is not None
    here = Path(__file__).parent
    machine, ops = Side(native(f"{build}/bench_machine")), Side(native(f"{build}/bench_ops"))
    chain = Side(native(f"{build}/bench_chain"), "cpu_time")  # one thread: what others run beside it counts less
    peer_chain = Side(has_torch and native(f"{build}/bench_peer_chain"), "cpu_time")
    peer_ops = Side(has_torch and [sys.executable, str(here / "peer_ops.py"), MIN_TIME])
    start, others = time.monotonic(), work_of_others()
    for _ in range(ROUNDS):
        for side in (machine, chain, peer_chain, ops, peer_ops):
            side.round()
            if side in (machine, chain, ops) and side.skipped:
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
    table(chain, peer_chain, "libtorch", 1000, TARGETS)
    print("\nops: forward + backward to all inputs, f32, 1024 x 1024 unless said, 2 threads, us")
    table(ops, peer_ops, "PyTorch", 1000, {})


main(sys.argv[1])
