"""Model files that lie in packages of PyPI, trained by others, with the inputs that they are fed there."""

import numpy as np
import onnx
from zoo_data import folder_of, lines, pages, plain_photos, sounds


def as_it_is(package, *parts):
    return lambda to: onnx.save(onnx.load(folder_of(package, *parts)), to)


def fixed(package, *parts, **shapes):
    """With a size for each axis that the file leaves open."""

    def write(to):
        model = onnx.load(folder_of(package, *parts))
        for found in model.graph.input:
            for dim, size in zip(found.type.tensor_type.shape.dim, shapes.get(found.name, [])):
                dim.dim_value = size
        # What the exporter noted of the values between holds for open sizes.
        del model.graph.value_info[:]
        onnx.save(model, to)

    return write


def silero(count):
    state = np.random.default_rng(5).standard_normal((2, count, 128)).astype(np.float32)
    return {"input": sounds(count, 576, 16000), "state": np.tanh(state)[:, :1]}


def silero_long(count):
    zero = np.zeros((1, 1, 128), np.float32)
    return {"input": sounds(count, 576, 16000), "h": zero, "c": zero}


def magika(count):
    with open(__file__, "rb") as own:
        text = np.frombuffer(own.read(), np.uint8).astype(np.int32)
    return {"bytes": np.stack([np.resize(text[7 * at :], 2048) for at in range(count)])}


RAPID, OLDER, SILERO = ("rapidocr", "models"), ("rapidocr_onnxruntime", "models"), ("silero_vad", "data")
PITCH = ("basic_pitch", "saved_models", "icassp_2022", "nmp.onnx")
DETECTED, READ = [1, 3, 160, 160], [1, 3, 48, 160]

# Name: how the file is written, and what it is fed. One size of picture is as good as another for a comparison.
PACKAGES = {
    "pp-ocr-v4-det": (fixed(*OLDER, "ch_PP-OCRv4_det_infer.onnx", x=DETECTED), lambda: {"x": pages(8, 160)}),
    "pp-ocr-v4-rec": (fixed(*OLDER, "ch_PP-OCRv4_rec_infer.onnx", x=READ), lambda: {"x": lines(8, 48, 160)}),
    "pp-ocr-v2-cls": (
        fixed(*RAPID, "ch_ppocr_mobile_v2.0_cls_mobile.onnx", x=[1, 3, 48, 192]),
        lambda: {"x": lines(8, 48, 192)},
    ),
    "pp-ocr-v6-det": (fixed(*RAPID, "PP-OCRv6_det_small.onnx", x=DETECTED), lambda: {"x": pages(8, 160)}),
    "pp-ocr-v6-rec": (fixed(*RAPID, "PP-OCRv6_rec_small.onnx", x=READ), lambda: {"x": lines(8, 48, 160)}),
    "nudenet": (fixed("nudenet", "320n.onnx", images=[1, 3, 160, 160]), lambda: {"images": plain_photos(8, 160)}),
    "basic-pitch": (as_it_is(*PITCH), lambda: {"serving_default_input_2:0": sounds(4, 43844, 22050)[..., None]}),
    "silero-vad": (as_it_is(*SILERO, "silero_vad.onnx"), lambda: {**silero(8), "sr": np.int64([16000])}),
    "silero-vad-16k": (as_it_is(*SILERO, "silero_vad_openvino_16k.onnx"), lambda: silero(8)),
    "silero-vad-16k-sequence": (
        fixed(*SILERO, "silero_vad_16k_sequence.onnx", input=[1, 576]),
        lambda: silero_long(8),
    ),
    "magika": (fixed("magika", "models", "standard_v3_3", "model.onnx", bytes=[1, 2048]), lambda: magika(8)),
}
