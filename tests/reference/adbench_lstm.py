#!/usr/bin/env python3
"""ADBench's LSTM instance and what its test expects of it (MIT licence, (c) Microsoft): extents, parameters, state, the sequence as
a number for each row of bits, the objective and the gradient.
usage: tests/reference/adbench_lstm.py ADBENCH > tests/reference/adbench_lstm.txt"""
import re
import sys
from pathlib import Path

root = Path(sys.argv[1])
words = (root / "data/lstm/lstm_l2_c1024.txt").read_text().split()
layers, count, width = map(int, words[:3])
sizes = [2 * layers * 4 * width, 3 * width, 2 * layers * width]
start = 3 + sum(sizes)
bits = words[start : start + count * width]
test = (root / "test/cpp/modules/common/LstmTests.cpp").read_text()
gradient = re.search(r"expectedGradient\s*\{(.*?)\}", test, re.S)[1].replace(",", " ").split()
assert len(gradient) == sizes[0] + sizes[1] and set(bits) == {"0", "1"}

print(layers, count, width)
for begin, size in zip((3, 3 + sizes[0], 3 + sizes[0] + sizes[1]), sizes):
    print(*words[begin : begin + size])
print(*(int("".join(bits[i * width : (i + 1) * width]), 2) for i in range(count)))
print(re.search(r"EXPECT_NEAR\(([\d.]+), output.objective", test)[1])
print(*gradient)
