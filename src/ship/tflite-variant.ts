import { exportTflite } from '../formats/tflite/export.ts';
import type { TfliteOptions } from '../formats/tflite/export.ts';
import { descriptionFrom } from './description.ts';
import { onnxOptions } from './metadata.ts';
import type { DescribedBy, MakeFile, Variant } from './variant.ts';

/** A TFLite file to make of a graph. */
export function tflite(context: DescribedBy, precision: Variant['precision'], options: TfliteOptions): Variant {
  const make: MakeFile = (graph, output, stream) => {
    const { name, metadata } = onnxOptions(context, output, stream);
    const quantization = options.quantization && (stream?.scales(options.quantization) ?? options.quantization);
    const description = descriptionFrom(name, metadata, [...graph.inputs.keys()][0]!);
    const own = { ...options, quantization, storePasts: stream?.storePasts };
    return exportTflite(graph, { ...own, batch: context.recipe.tflite.batch, description });
  };
  return { format: 'tflite', precision, make };
}
