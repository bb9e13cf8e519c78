"""Log-mel spectra, MFCC and resampled sounds as librosa and SciPy have them, of the sounds in cases.json."""
import json
import sys

import librosa
import numpy as np
import scipy.fft
import scipy.signal

SILENCE = 1e-6


def spectrum(case):
    sound = np.asarray(case["values"], np.float32)
    power = librosa.feature.melspectrogram(
        y=sound,
        sr=case["rate"],
        n_fft=case["window"],
        hop_length=case["hop"],
        window="hann",
        center=False,
        power=2,
        n_mels=case["mels"],
        fmin=case["low"],
        fmax=case["high"],
    )
    bands = np.log(power.astype(np.float64) + SILENCE) - np.log(SILENCE)
    if case.get("coefficients") is not None:
        bands = librosa.feature.mfcc(S=bands, n_mfcc=case["coefficients"])
    return bands.T.ravel().tolist()


def resampled(case):
    return scipy.signal.resample_poly(np.asarray(case["values"]), case["up"], case["down"]).tolist()


def main():
    with open(f"{sys.argv[1]}/cases.json") as file:
        cases = json.load(file)
    print(json.dumps([resampled(case) if "up" in case else spectrum(case) for case in cases]))


main()
