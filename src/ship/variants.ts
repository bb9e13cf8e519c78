import type { OnnxContent } from '../formats/onnx/large.ts';
import { onnxContent } from '../formats/onnx/protobuf.ts';
import { exportQdq } from '../formats/onnx/qdq/qdq.ts';
import { lowerReduced } from '../formats/onnx/rewrite/reduce.ts';
import type { Reduction } from '../formats/onnx/rewrite/reduce.ts';
import type { Skipped } from '../base/skipped.ts';
import { exportTflite } from '../formats/tflite/export.ts';
import type { TfliteOptions } from '../formats/tflite/export.ts';
import type { DenseScales, Quantization } from '../graph/quantization.ts';
import type { Graph } from '../graph/types.ts';
import type { FileOutputs } from '../recipe/answer-forms.ts';
import { isFrontEnd } from '../networks/sound/log-mel.ts';
import type { ShipContext } from './context.ts';
import { descriptionFrom } from './description.ts';
import { onnxOptions } from './metadata.ts';
import type { ModelFile } from './model-file.ts';

/** Parts of the context that describe the model in a file's metadata. */
type Described = Pick<ShipContext, 'recipe' | 'written' | 'data' | 'threshold'>;

/** One file to make of an inference graph. */
export interface Variant extends Pick<ModelFile, 'format' | 'precision'> {
  readonly make: MakeFile;
}

/** Bytes of a file of this graph. `output`: what it answers with, where that is not what the task says. */
export type MakeFile = (
  graph: Graph,
  output?: FileOutputs,
) => { readonly bytes: OnnxContent; readonly skipped: readonly Skipped[] };

/** Files that need no calibration: in half precision, or with weights of few bits; `dense` is for TFLite. */
export function reducedVariants(context: Described, scheme: Reduction, dense: DenseScales): Variant[] {
  const onnx: Variant = {
    ...{ format: 'onnx', precision: scheme },
    make: (graph, output) => {
      const options = { ...onnxOptions(context, output), keepFloat: isFrontEnd };
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
  context: Described,
  quantization: Quantization,
  skipped: readonly Skipped[],
  keepFloat: (layer: string) => boolean = () => false,
): Variant[] {
  const onnx: Variant = {
    ...{ format: 'onnx', precision: 'int8' },
    make: (graph, output) => {
      const made = exportQdq(graph, quantization, { ...onnxOptions(context, output), keepFloat });
      return { bytes: onnxContent(made.result), skipped: [...skipped, ...made.skipped] };
    },
  };
  const { ends } = context.recipe.tflite;
  return [
    onnx,
    tflite(context, 'int8', { precision: 'integer', quantization, keepFloat, storeFixed: isFrontEnd, ends }),
  ];
}

export function tflite(context: Described, precision: Variant['precision'], options: TfliteOptions): Variant {
  const make: MakeFile = (graph, output) => {
    const { name, metadata } = onnxOptions(context, output);
    const description = descriptionFrom(name, metadata, [...graph.inputs.keys()][0]!);
    return exportTflite(graph, { ...options, batch: context.recipe.tflite.batch, description });
  };
  return { format: 'tflite', precision, make };
}
