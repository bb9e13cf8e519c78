import type { InputShapes } from '../../formats/onnx/sizes.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { DenseScales } from '../../graph/quantization.ts';
import type { ModelFile } from '../model-file.ts';
import type { RecipeCalibrator } from '../../recipe/schema/compress.ts';

export interface ConvertOptions {
  /** Folder of a run, an ONNX file, or the model.json of a tfjs layers model. */
  readonly from: string;
  /** ONNX: shapes of inputs that the file leaves open. */
  readonly shapes?: InputShapes;
  /** Model of a run to convert. Default: the distilled student. */
  readonly model?: string | undefined;
  readonly format: ModelFile['format'];
  readonly precision: ModelFile['precision'];
  /** Samples to calibrate with and to compare on: a recipe (.yaml), or arrays in the form of the model's inputs (.npy, .npz). */
  readonly data?: string | undefined;
  readonly calibrator: RecipeCalibrator;
  readonly samples: number;
  readonly keepFloat: readonly string[];
  readonly symmetric: boolean;
  readonly opset: number;
  /** TFLite in fp32: pruned filters of 1×1 convolutions as sparse tensors. */
  readonly sparse?: boolean;
  /** TFLite in int8: what the file is fed and hands back. Default float32. */
  readonly ends?: 'float32' | 'int8' | 'uint8';
  /** TFLite with int8 weights: scales of dense layers. Default `tensor`; `channel` needs TensorFlow Lite 2.17. */
  readonly dense?: DenseScales | undefined;
  /** TFLite: samples at once. Default 1. */
  readonly batch?: 1 | 'dynamic';
  /** A file that takes a hop at a time and keeps its past. */
  readonly stream?: boolean;
  /** Write the file although it answers too differently from what it was made of; what was measured is kept in it. */
  readonly accept?: boolean;
  /** Listener to the progress of the calibration. */
  readonly onProgress?: OnProgress;
  /** File to write; without one, beside the working folder under the model's name. */
  readonly out?: string | undefined;
}

/** Options of a conversion of which only the source is said. */
export const CONVERT_DEFAULTS = {
  opset: 17,
  samples: 512,
  keepFloat: [],
  symmetric: false,
  sparse: false,
  ends: 'float32',
  batch: 1,
  stream: false,
  accept: false,
  format: 'onnx',
  precision: 'fp32',
  calibrator: 'mse',
} as const satisfies Omit<ConvertOptions, 'from'>;
