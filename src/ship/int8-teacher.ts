import type { ToInt8 } from '../distill/teachers/int8-teacher.ts';
import type { OnProgress } from '../base/progress.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { CONVERT_DEFAULTS } from './convert/options.ts';
import { make } from './convert/make.ts';
import { onnxGraph } from './convert/source.ts';

/** Quantizer of a teacher's ONNX file, as `limbeck quantize` does it. */
export function toInt8(onProgress?: OnProgress): ToInt8 {
  return async (bytes, name, samples) => {
    const source = onnxGraph(decodeModel(bytes, name), name);
    const options = { ...CONVERT_DEFAULTS, from: name, precision: 'int8', ...(onProgress && { onProgress }) } as const;
    return (await make(source, samples, options)).bytes;
  };
}
