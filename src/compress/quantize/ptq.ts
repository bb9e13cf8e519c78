import { UserError } from '../../base/errors.ts';
import type { OnProgress } from '../../base/progress.ts';
import type { Skipped } from '../../base/skipped.ts';
import { asymmetric, layersOf, magnitudes, symmetric, weightedNodes } from '../../graph/quantization.ts';
import type { DenseScales, Quantization, TensorQuantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { calibrators } from './calibrators.ts';
import type { CalibratorName } from './calibrators.ts';
import { widenForMasks } from './masks.ts';
import { observe } from './observe.ts';
import type { CalibrationSamples } from './observe.ts';
import { beyondLimits, saturationLimits } from './saturation.ts';
import { channelAxisOf, shareScales, tinyEnds } from './share.ts';
import { unlikeEnds } from './unlike.ts';
import type { OpenModel } from './open-model.ts';

export interface PtqOptions {
  readonly calibrator: CalibratorName;
  /** Runtime of the calibration graph. */
  readonly open: OpenModel;
  /** Activations get the zero point 0, which TensorRT wants. Default false: half of the range is lost on what a ReLU gives. */
  readonly symmetric?: boolean;
  /** Bits of activations; 16 are symmetric, which is what TFLite's kernels take, beside weights of 8. Default 8. */
  readonly activationBits?: 8 | 16;
  /** Default: one scale for each output. */
  readonly dense?: DenseScales;
  /** True where the file is to give integers: results of very unlike parts then have one scale all the same. */
  readonly integerEnds?: boolean;
  /** Values whose means are wanted. */
  readonly means?: readonly string[];
  readonly onProgress?: OnProgress | undefined;
}

export interface Calibrated {
  readonly result: Quantization;
  readonly skipped: Skipped[];
  /** Values that hold the numbers of attention masks. */
  readonly masked: ReadonlySet<string>;
  /** Means of the values that were asked for, by channel. */
  readonly means: ReadonlyMap<string, Float64Array>;
}

/**
 * Scales for an inference graph (weights as constants, batch norms folded) from what its activations are on some samples:
 * int8, asymmetric and one scale each; weights int8, symmetric, one scale for each output channel, or for all of a dense
 * layer.
 */
export async function quantize(graph: Graph, samples: CalibrationSamples, options: PtqOptions): Promise<Calibrated> {
  if (samples.length === 0)
    throw new UserError(
      'quantize.samples: expected at least 1 sample to calibrate with, received none',
      'Set quantize.samples to 1 or more.',
    );
  const calibrate = calibrators[options.calibrator];
  const limits = saturationLimits(graph);
  const { histograms, notFinite, masked, means } = await observe(graph, samples, { ...options, limits });
  const ranges = new Map(
    [...histograms].map(([name, histogram]) => [name, beyondLimits(calibrate(histogram), limits.get(name))]),
  );
  widenForMasks(graph, masked, ranges);
  const activations = new Map<string, TensorQuantization>();
  const type = options.activationBits === 16 ? 'int16' : 'int8';
  const isSymmetric = options.symmetric === true || type === 'int16';
  for (const [name, { min, max }] of ranges) {
    activations.set(name, isSymmetric ? symmetric([Math.max(-min, max)], type) : asymmetric(min, max, 'int8'));
  }
  const result = shareScales(graph, activations, isSymmetric);
  const tiny = options.integerEnds === true ? [] : tinyEnds(graph, result);
  for (const { outputs } of tiny) result.delete(outputs[0]!);
  const unlike = type === 'int8' && options.integerEnds !== true ? unlikeEnds(graph, result) : undefined;
  for (const name of unlike?.values ?? []) result.delete(name);
  for (const [name, scales] of weightScales(graph, options.dense)) result.set(name, scales);
  const layerOf = layersOf(graph);
  const skipped = notFinite.map((name) => ({
    what: layerOf.get(name) ?? name,
    why: `${name} took values that are infinite or no number`,
  }));
  for (const { layer, outputs } of unlike?.nodes ?? [])
    skipped.push({
      what: layer ?? outputs[0]!,
      why: 'parts of its result have ranges too unlike for one scale of 8 bits',
    });
  for (const { layer, outputs } of tiny)
    skipped.push({ what: layer ?? outputs[0]!, why: 'its results are too small for the steps of 8 bits' });
  return { result, skipped, masked, means };
}

/** Symmetric scales of the stored weights of convolutions and dense layers. */
export function weightScales(graph: Graph, dense: DenseScales = 'channel'): Map<string, TensorQuantization> {
  const axes = new Map<string, Set<number | undefined>>();
  for (const node of weightedNodes(graph)) {
    const name = node.inputs[1]!;
    const axis = channelAxisOf(node, graph.constants.get(name)!.type.shape.length, dense);
    axes.set(name, (axes.get(name) ?? new Set()).add(axis));
  }
  const scalesOf = (name: string, along: ReadonlySet<number | undefined>): TensorQuantization => {
    const { data, type } = graph.constants.get(name)!;
    // A matrix that another layer reads transposed has its outputs along both axes.
    const axis = along.size === 1 ? [...along][0] : undefined;
    return symmetric(magnitudes(data as Float32Array, type.shape as number[], axis), 'int8', axis);
  };
  return new Map([...axes].map(([name, along]) => [name, scalesOf(name, along)]));
}
