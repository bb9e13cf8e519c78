import type { OnProgress } from '../../base/progress.ts';
import type { Skipped } from '../../base/skipped.ts';
import type { DenseScales, Quantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { biasedResults, correctBias } from './bias.ts';
import type { CalibratorName } from './calibrators.ts';
import type { CalibrationSamples } from './observe.ts';
import type { OpenModel } from './open-model.ts';
import { quantize, weightScales } from './ptq.ts';

/** A graph that is ready to be written in integers. */
export interface Prepared {
  readonly graph: Graph;
  /** The same with weights and biases as float computes with them. */
  readonly float: Graph;
  readonly quantization: Quantization;
  /** Means of `biasedResults` in float. */
  readonly means: ReadonlyMap<string, Float64Array>;
  readonly skipped: readonly Skipped[];
}

/** Settings of calibration and correction of a graph; int16x8 has neither asymmetric ranges nor corrected biases. */
export interface PtqRecipe {
  readonly scheme: 'int8' | 'int16x8';
  readonly calibrator: CalibratorName;
  readonly biasCorrection?: boolean;
  readonly symmetric?: boolean;
  readonly dense: DenseScales;
  /** Layers that stay in float, see `keptFloat`. */
  readonly kept: readonly string[];
  /** True where the file is to give integers. */
  readonly integerEnds?: boolean;
}

/** Calibrated and corrected, as a step of the recipe asks. */
export async function prepareInt8(
  open: OpenModel,
  graph: Graph,
  step: PtqRecipe,
  samples: CalibrationSamples,
  onProgress?: OnProgress,
): Promise<Prepared> {
  const { calibrator, symmetric = false, dense, integerEnds = false } = step;
  const activationBits: 8 | 16 = step.scheme === 'int16x8' ? 16 : 8;
  const means = isCorrected(step) ? biasedResults(graph) : [];
  const options = { calibrator, open, symmetric, activationBits, dense, integerEnds, means, onProgress } as const;
  const { result, skipped, means: found } = await quantize(graph, samples, options);
  const prepared = { float: graph, quantization: result, means: found, skipped };
  return { ...prepared, graph: await corrected(open, prepared, step, samples, onProgress) };
}

/** The same with other scales of dense layers: calibrated once, corrected anew. */
export async function withDenseScales(
  open: OpenModel,
  prepared: Prepared,
  step: PtqRecipe,
  samples: CalibrationSamples,
): Promise<Prepared> {
  const quantization = new Map([...prepared.quantization, ...weightScales(prepared.float, step.dense)]);
  const other = { ...prepared, quantization };
  return { ...other, graph: await corrected(open, other, step, samples) };
}

/** The correction runs the layers before one in ONNX's 8 bits, which is not what 16-bit activations come to. */
const isCorrected = ({ scheme, biasCorrection = false }: PtqRecipe): boolean => biasCorrection && scheme !== 'int16x8';

async function corrected(
  open: OpenModel,
  { float, quantization, means }: Omit<Prepared, 'graph'>,
  step: PtqRecipe,
  samples: CalibrationSamples,
  onProgress?: OnProgress,
): Promise<Graph> {
  if (!isCorrected(step)) return float;
  const options = { open, means, keepFloat: (layer: string) => step.kept.includes(layer) };
  return correctBias(float, quantization, samples, options, onProgress);
}
