"""What the peers share: a case is a name and a function, and what they print is what Google Benchmark would."""
import json
import sys
import time


def measure(step, check, min_time):
    first = check(step())
    iterations, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < min_time or not iterations:
        step()
        iterations += 1
    return {"real_time": elapsed / iterations * 1e9, "check": first}


def run(cases, context, min_time="0.5", check=lambda result: result):
    """Cases: pairs of a name and a step; `check` makes a number of what a step returns."""
    results = [{"name": name, **measure(step, check, float(min_time))} for name, step in cases]
    json.dump({"context": context, "benchmarks": results}, sys.stdout)


def magnitude(tensors):
    """Of PyTorch's tensors, all together."""
    return sum(x.detach().abs().double().sum().item() for x in tensors)
