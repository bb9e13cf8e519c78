"""What the checks share: a verdict for each case of a folder, printed as JSON for python.ts to read."""
import json
import os
import sys


def judge(check):
    """Runs `check(folder, case)`, which gives an error relative to the output or raises, for each case of the manifest."""
    folder = sys.argv[1]
    with open(os.path.join(folder, "manifest.json")) as file:
        cases = json.load(file)
    verdicts = []
    for case in cases:
        verdict = {"name": case["name"], "problem": "", "error": 0.0}
        try:
            verdict["error"] = check(folder, case)
        except Exception as error:
            verdict["problem"] = f"{type(error).__name__}: {error}"[:1000]
        verdicts.append(verdict)
    print(json.dumps(verdicts))
