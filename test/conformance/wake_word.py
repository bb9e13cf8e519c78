"""Hears sounds with pymicro-wakeword, the official interpreter and TensorFlow Lite Micro, by the manifest that ESPHome reads."""

import glob
import json
import os
import sys
import wave
from collections import deque

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures
from tflite_micro.python.tflite_micro import runtime

manifest, folder = sys.argv[1], sys.argv[2]
(model,) = glob.glob(os.path.join(os.path.dirname(manifest), "*.tflite"))


def features(file):
    with wave.open(file) as sound:
        return list(MicroWakeWordFeatures().process_streaming(sound.readframes(sound.getnframes())))


def by_package(frames):
    """Probability of each hop, in 256ths; not yet the mean of the window."""
    word = MicroWakeWord.from_config(manifest)
    word.sliding_window_size = 1
    word._probabilities = deque(maxlen=1)
    answers = [word.process_streaming_prob(frame) for frame in frames]
    return [round(256 * answer) for answer in answers[word.stride - 1 :: word.stride]]


def fed(frames, hop, scale, zero):
    values = np.clip(np.round(np.concatenate(frames, axis=1) / scale + zero), -128, 127).astype(np.int8)
    return [values[:, at : at + hop] for at in range(0, values.shape[1] - hop + 1, hop)]


def by_interpreter(frames, resolver):
    interpreter = Interpreter(model, experimental_op_resolver_type=resolver)
    interpreter.allocate_tensors()
    (source,), (target,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for hop in fed(frames, source["shape"][1], *source["quantization"]):
        interpreter.set_tensor(source["index"], hop)
        interpreter.invoke()
        found.append(int(interpreter.get_tensor(target["index"])[0, 0]))
    return found


def by_micro(frames):
    """TensorFlow Lite Micro within the arena of the manifest: it refuses a smaller one."""
    with open(manifest) as text:
        size = json.load(text)["micro"]["tensor_arena_size"]
    interpreter = runtime.Interpreter.from_file(model, arena_size=size)
    details = interpreter.get_input_details(0)
    scale, zero = details["quantization_parameters"]["scales"][0], details["quantization_parameters"]["zero_points"][0]
    found = []
    for hop in fed(frames, details["shape"][1], scale, zero):
        interpreter.set_input(hop, 0)
        interpreter.invoke()
        found.append(int(interpreter.get_output(0)[0, 0]))
    return found


def heard(frames):
    word = MicroWakeWord.from_config(manifest)
    return any([word.process_streaming(frame) for frame in frames])


result = []
for file in sorted(glob.glob(os.path.join(folder, "*.wav"))):
    frames = features(file)
    result.append(
        {
            "file": file,
            "heard": heard(frames),
            "package": by_package(frames),
            "accelerated": by_interpreter(frames, OpResolverType.AUTO),
            "plain": by_interpreter(frames, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
            "micro": by_micro(frames),
        }
    )
print("\n" + json.dumps(result))
