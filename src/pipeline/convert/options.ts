import type { ModelFile } from '../model-file.ts';
import type { CalibratorName } from '../../compress/quantize/calibrators.ts';

export interface ConvertOptions {
  /** Folder of a run, an ONNX file, or the model.json of a tfjs layers model. */
  readonly from: string;
  /** Which model of a run. */
  readonly model: string;
  readonly format: ModelFile['format'];
  readonly precision: ModelFile['precision'];
  /** Samples to calibrate with and to compare on: a recipe (.yaml) or an array (.npy) as the model is fed. */
  readonly data?: string | undefined;
  readonly calibrator: CalibratorName;
  readonly samples: number;
  readonly keepFloat: readonly string[];
  readonly symmetric: boolean;
  readonly opset: number;
  /** TFLite in fp32: pruned filters of 1×1 convolutions as sparse tensors. */
  readonly sparse?: boolean;
  /** TFLite in int8: what the file is fed and hands back. Default float32. */
  readonly ends?: 'float32' | 'int8' | 'uint8';
  /** TFLite: samples at once. Default 1. */
  readonly batch?: 1 | 'dynamic';
  /** File to write; without one, beside the working folder under the model's name. */
  readonly out?: string | undefined;
}

/** What a conversion does that is told no more than what to read. */
export const CONVERT_DEFAULTS: Omit<ConvertOptions, 'from'> = {
  ...{ model: 'distilled', opset: 17, samples: 512, keepFloat: [], symmetric: false },
  format: 'onnx',
  precision: 'fp32',
  calibrator: 'mse',
};
