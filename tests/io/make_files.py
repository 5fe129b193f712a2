#!/usr/bin/env python3
"""Makes the files in files/ that the tests read, with the packages that define the formats.

In a virtual environment: pip install numpy safetensors tensorboard tensorboardX; then run this from any folder.
"""
import pathlib

import numpy as np
import safetensors
import safetensors.numpy
import tensorboardX.proto.event_pb2 as x_event
import tensorboardX.proto.summary_pb2 as x_summary
import tensorboardX.record_writer
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

files = pathlib.Path(__file__).parent / "files"
files.mkdir(exist_ok=True)

# The four dtypes of xtgrad: what write_safetensors writes must be these bytes.
safetensors.numpy.save_file(
    {
        "layers.0.weight": np.array([[0.5, -1.25, 3], [1e-30, 7, -0.0]], np.float32),
        "layers.0.bias": np.array([0.1, 0.2, 0.3], np.float64),
        "labels": np.array([-1, 2**40, 3, -(2**63)], np.int64),
        "mask": np.array([[True, False], [False, True]]),
        "scalar": np.array(2.5, np.float64),
        "nothing": np.zeros((0, 3), np.float32),
        "größe": np.array([1], np.float32),
    },
    files / "python.safetensors",
    {"format": "np"},
)


def serialized(tensors):
    spec = lambda dtype, x: safetensors.TensorSpec(dtype=dtype, shape=x.shape, data_ptr=x.ctypes.data, data_len=x.nbytes)
    return safetensors.serialize({name: spec(dtype, x) for name, (dtype, x) in tensors.items()})


narrow = {
    "f16": ("float16", np.array([1.5, -0.0, 65504, 6e-8, np.inf, 6.1e-5], np.float16)),
    "bf16": ("bfloat16", np.array([0x3FC0, 0xC000, 0x7F80, 0x0001], np.uint16)),
    "u8": ("uint8", np.array([0, 255], np.uint8)),
    "i8": ("int8", np.array([-128, 127], np.int8)),
    "u16": ("uint16", np.array([0, 65535], np.uint16)),
    "i16": ("int16", np.array([-32768, 32767], np.int16)),
    "u32": ("uint32", np.array([0, 2**32 - 1], np.uint32)),
    "i32": ("int32", np.array([-(2**31), 2**31 - 1], np.int32)),
    "u64": ("uint64", np.array([0, 2**63 - 1], np.uint64)),
}
(files / "narrow.safetensors").write_bytes(serialized(narrow))
(files / "large.safetensors").write_bytes(serialized({"u64": ("uint64", np.array([2**63], np.uint64))}))

matrix = np.arange(6, dtype=np.float32).reshape(2, 3) / 4
np.save(files / "rows.npy", matrix)
np.save(files / "columns.npy", np.asfortranarray(np.arange(24, dtype=np.float64).reshape(2, 3, 4)))
np.save(files / "big_endian.npy", np.array([1, -2, 70000], ">i4"))
np.save(files / "half.npy", np.array([0.5, -2], np.float16))
np.save(files / "mask.npy", np.array([True, False, True]))
np.save(files / "scalar.npy", np.array(7, np.uint8))
np.save(files / "text.npy", np.array(["a", "bc"]))
np.save(files / "complex.npy", np.array([1j]))
np.lib.format.write_array(open(files / "version_2.npy", "wb"), matrix, version=(2, 0))
np.savez(files / "stored.npz", weight=matrix, labels=np.array([3, 1]))
np.savez_compressed(files / "packed.npz", weight=matrix, zeros=np.zeros((7, 11)))


def events(event_pb2, summary_pb2):
    def scalar(step, tag, value):
        summary = summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag=tag, simple_value=value)])
        return event_pb2.Event(wall_time=1700000000.5 + step, step=step, summary=summary)

    return [scalar(0, "loss/train", 2.25), scalar(1, "loss/train", -0.1), scalar(300, "größe", float("inf"))]


def versioned(event_pb2, summary_pb2):
    version = event_pb2.Event(wall_time=1700000000.25, file_version="brain.Event:2")
    return [event.SerializeToString() for event in [version, *events(event_pb2, summary_pb2)]]


with open(files / "tensorboard.events", "wb") as file:
    record_writer = RecordWriter(file)
    for event in versioned(event_pb2, summary_pb2):
        record_writer.write(event)
    record_writer.flush()

record_writer = tensorboardX.record_writer.RecordWriter(str(files / "tensorboardx.events"))
for event in versioned(x_event, x_summary):
    record_writer.write(event)
record_writer.close()
