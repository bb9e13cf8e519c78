import { UserError } from '../../base/errors.ts';
import type { DenseScales, Quantization } from '../../graph/quantization.ts';
import { withInt32Ends } from '../../graph/passes/inputs/int64-inputs.ts';
import { showStage } from '../../graph/stages.ts';
import type { Graph } from '../../graph/types.ts';
import { appendLabels } from './metadata/archive.ts';
import { emit } from './emit.ts';
import { encodeEntries, ENTRIES_NAME } from './metadata/entries.ts';
import { fuse } from './fuse/fuse.ts';
import type { TfliteBatch } from './lower/context.ts';
import { lower } from './lower/lower.ts';
import type { Program } from './lower/program.ts';
import type { ModelDescription } from './metadata/metadata.ts';
import { encodeMetadata, METADATA_NAME } from './metadata/metadata.ts';
import { printProgram } from './print.ts';
import { quantizeDynamic } from './quantize/dynamic.ts';
import { halveWeights } from './quantize/half.ts';
import type { EndsType } from './quantize/integer.ts';
import { quantizeInteger } from './quantize/integer.ts';
import { storeFixed } from './quantize/narrow.ts';
import type { Skipped } from '../../base/skipped.ts';
import { storeSparse } from './sparse.ts';
import { writeTflite } from './write.ts';

/**
 * - `float16`: weights stored in half precision, computed in float32;
 * - `dynamic`: weights stored as int8, activations quantized by the kernels at run time;
 * - `integer`: everything in integers, with the scales of `quantization` (int8, or int16 activations with int8 weights).
 */
export type Precision = 'float32' | 'float16' | 'dynamic' | 'integer';

export interface TfliteOptions {
  readonly precision?: Precision;
  /** Scales by value name, for `integer`. */
  readonly quantization?: Quantization | undefined;
  /**
   * Scales of dense layers, for `dynamic`, and for `integer` unless `quantization` has the weights. Default `tensor`; `channel` needs TensorFlow Lite
   * 2.17 or later.
   */
  readonly dense?: DenseScales;
  /** Type of inputs and outputs, for `integer`. Default: float32, with conversions inside the model. */
  readonly ends?: EndsType;
  /** Type of the outputs, for `integer`, where it is not that of the inputs. */
  readonly outputEnds?: EndsType | undefined;
  /** Layers that stay in float32, by their name in the graph. */
  readonly keepFloat?: (layer: string) => boolean;
  /** For `integer`, float layers whose constants are stored in 16 bits and widened when the model is loaded. Default: none. */
  readonly storeFixed?: (layer: string) => boolean;
  /**
   * Store pruned filters of 1×1 convolutions as sparse tensors, for `float32`. The file is smaller and no slower on XNNPACK; other delegates, such as
   * those for GPUs, may not support DENSIFY. Default false.
   */
  readonly sparse?: boolean;
  /** Default 1. */
  readonly batch?: TfliteBatch;
  readonly description?: ModelDescription;
  /** For a stream: makes variables of its pasts. */
  readonly storePasts?: ((program: Program) => void) | undefined;
}

export interface TfliteExport {
  readonly bytes: Uint8Array;
  /** Parts of the model that kept a higher precision than requested, with the reason. */
  readonly skipped: readonly Skipped[];
  /** Indexes of the tensors that hold values of the graph, by the names of the values. */
  readonly tensors: ReadonlyMap<string, number>;
}

/** Exports an inference graph (weights as constants, no state) as a `.tflite` file. The same graph always gives the same bytes. */
export function exportTflite(graph: Graph, options: TfliteOptions = {}): TfliteExport {
  const { precision = 'float32', batch = 1, description, quantization } = options;
  if (precision === 'integer' && quantization === undefined)
    throw new UserError('integer export without scales', 'Quantize the model first, or export with precision dynamic.');
  const program = lower(
    withInt32Ends(graph),
    batch,
    precision === 'integer' ? quantization : undefined,
    options.storePasts !== undefined,
  );
  showStage('tflite', () => printProgram(program));
  const { keepFloat, dense = 'tensor' } = options;
  fuse(program, {
    ...(precision === 'integer' && { keepFloat }),
    oneScale: precision === 'dynamic' && dense === 'tensor',
  });
  const skipped = reduce(program, precision, options);
  if (options.sparse === true && precision === 'float32' && storeSparse(program) === 0) skipped.push(DENSE);
  program.prune();
  options.storePasts?.(program);
  showStage('tflite-final', () => printProgram(program));
  const names = [[...program.inputs.keys()], [...program.outputs.keys()]] as const;
  const entries = description?.entries ?? new Map<string, string>();
  const metadata = {
    ...(description !== undefined && { [METADATA_NAME]: encodeMetadata(description, ...names) }),
    ...(entries.size > 0 && { [ENTRIES_NAME]: encodeEntries(entries) }),
  };
  const { model, tensors } = emit(program, 'main', description?.description ?? 'Made by limbeck', metadata);
  const bytes = writeTflite(model);
  const labels = description?.labels;
  return { bytes: labels === undefined ? bytes : appendLabels(bytes, labels), skipped, tensors };
}

const DENSE: Skipped = {
  what: 'every filter',
  why: 'of no 1×1 convolution so many weights are pruned that its sparse form is smaller',
};

function reduce(
  program: Program,
  precision: Precision,
  { ends = 'float32', dense = 'tensor', keepFloat = () => false, ...options }: TfliteOptions,
): Skipped[] {
  switch (precision) {
    case 'float32':
      return [];
    case 'float16':
      return halveWeights(program, keepFloat);
    case 'dynamic':
      return quantizeDynamic(program, dense, keepFloat);
    case 'integer': {
      const inputs = options.description?.inputs;
      const skipped = quantizeInteger(program, {
        ends,
        outputEnds: options.outputEnds ?? ends,
        dense,
        keepFloat,
        ...(inputs && { inputs }),
      });
      storeFixed(program, (layer) => keepFloat(layer) && options.storeFixed?.(layer) === true);
      return skipped;
    }
  }
}
