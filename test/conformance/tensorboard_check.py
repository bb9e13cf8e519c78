"""Reads a log folder with TensorBoard's own reader and prints {run: {tag: [[step, value], ...]}} as JSON."""

import json
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

found = {}
for run in sorted(os.listdir(sys.argv[1])):
    folder = os.path.join(sys.argv[1], run)
    # Checksums are checked by the record reader below the loader; a damaged file ends early there.
    records = sum(len(list(EventFileLoader(os.path.join(folder, name)).Load())) for name in os.listdir(folder))
    events = EventAccumulator(folder)
    events.Reload()
    found[run] = {tag: [[e.step, e.value] for e in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    found[run]["records"] = records
print(json.dumps(found))
