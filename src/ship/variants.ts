import { onnxContent } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../formats/onnx/rewrite/reduce.ts';
import type { Reduction } from '../formats/onnx/rewrite/reduce.ts';
import type { Skipped } from '../base/skipped.ts';
import type { DenseScales, Quantization } from '../graph/quantization.ts';
import { isFrontEnd } from '../graph/front-end.ts';
import { onnxOptions } from './metadata.ts';
import { tflite } from './tflite-variant.ts';
import type { DescribedBy, Variant } from './variant.ts';

/** Files that need no calibration: in half precision, or with weights of few bits; `dense` is for TFLite. */
export function reducedVariants(context: DescribedBy, scheme: Reduction, dense: DenseScales): Variant[] {
  const onnx: Variant = {
    format: 'onnx',
    precision: scheme,
    make: (graph, output, stream) => {
      const options = { ...onnxOptions(context, output, stream), keepFloat: isFrontEnd };
      const { result, skipped } = lowerReduced(graph, scheme, options);
      return { bytes: onnxContent(result), skipped };
    },
  };
  if (scheme === 'int4') return [onnx];
  return [
    onnx,
    tflite(context, scheme, { precision: scheme === 'fp16' ? 'float16' : 'dynamic', dense, keepFloat: isFrontEnd }),
  ];
}

export function int8Variants(
  context: DescribedBy,
  quantization: Quantization,
  skipped: readonly Skipped[],
  keepFloat: (layer: string) => boolean = () => false,
): Variant[] {
  const onnx: Variant = {
    format: 'onnx',
    precision: 'int8',
    make: (graph, output, stream) => {
      const scales = stream?.scales(quantization) ?? quantization;
      const made = exportQdq(graph, scales, { ...onnxOptions(context, output, stream), keepFloat });
      return { bytes: onnxContent(made.result), skipped: [...skipped, ...made.skipped] };
    },
  };
  const { ends } = context.recipe.tflite;
  return [
    onnx,
    tflite(context, 'int8', { precision: 'integer', quantization, keepFloat, storeFixed: isFrontEnd, ends }),
  ];
}
