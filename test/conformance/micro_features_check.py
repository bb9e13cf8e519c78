"""Features of sounds by pymicro-features, the C code of TensorFlow Lite Micro's audio front end, in whole numbers."""

import json
import os
import sys

import numpy as np
from pymicro_features import MicroFrontend

CHUNK = 320
UNIT = 0.0390625


def features(sound):
    front_end, heard, found = MicroFrontend(), np.array(sound, "<i2").tobytes(), []
    at = 0
    while at + CHUNK <= len(heard):
        part = front_end.process_samples(heard[at : at + CHUNK])
        at += 2 * part.samples_read
        if part.features:
            found.append([round(value / UNIT) for value in part.features])
    return found


with open(os.path.join(sys.argv[1], "sounds.json")) as file:
    print(json.dumps([features(sound) for sound in json.load(file)]))
