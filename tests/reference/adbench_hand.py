#!/usr/bin/env python3
"""The hand model and the small instance of ADBench (MIT licence, (c) Microsoft), as far as its test needs them: all bones, and
the vertices that its two points correspond to.
usage: tests/reference/adbench_hand.py ADBENCH/data/hand > tests/reference/adbench_hand.txt"""
import sys
from pathlib import Path

folder = Path(sys.argv[1])
bones = [line.split(":") for line in (folder / "model/bones.txt").read_text().split("\n") if line]
vertices = (folder / "model/vertices.txt").read_text().split("\n")
numbers = (folder / "test.txt").read_text().split()
count = int(numbers[0])
points = [numbers[2 + 4 * i : 6 + 4 * i] for i in range(count)]

print(len(bones), count)
for bone in bones:
    print(*bone[1:])  # parent, base relative, inverse base absolute
for number, *point in points:
    vertex = vertices[int(number)].split(":")
    weights = dict(zip(vertex[9::2], vertex[10::2]))
    print(*point, *vertex[:3], *(weights.get(str(bone), "0") for bone in range(len(bones))))
print(*numbers[2 + 4 * count :])
