import { PLAIN, viewOf } from '../../../data/batches/batches.ts';
import type { Dataset, Normalization } from '../../../data/dataset.ts';
import type { InputScaling } from '../../../formats/onnx/input-scaling.ts';

/** Number of samples whose mean and deviation are taken. */
const SEEN = 64;
/** Least advantage of raw samples, as a logarithm: half of the distance. */
const CLEAR = Math.LN2;

/**
 * True if a model scales raw samples itself: behind the `scaling` that it begins with, their mean is clearly nearer to 0 and their deviation to 1 than
 * those of normalized samples. A batch norm that was trained on normalized samples begins a model too, and wants them.
 */
export function takesRaw(scaling: InputScaling | undefined, dataset: Dataset): boolean {
  const { normalization, usual = normalization, text, inputs } = dataset;
  if (scaling === undefined || text !== undefined || inputs !== undefined) return false;
  const channelsSeen = momentsOf(dataset)
    .map((moments, c) => ({ ...moments, c }))
    .filter(({ deviation }) => deviation > 0);
  const distance = ({ scale, mean, std }: Normalization): number =>
    channelsSeen.reduce((sum, { c, mean: own, deviation }) => {
      const slope = scaling.scale[c]! / std[c]!;
      const middle = slope * (own * scale - mean[c]!) + scaling.offset[c]!;
      return (
        sum + Math.abs(Math.log(Math.max(1e-9, Math.abs(slope) * scale * deviation))) + Math.log1p(Math.abs(middle))
      );
    }, 0) / channelsSeen.length;
  return channelsSeen.length > 0 && distance(rawLike(usual)) + CLEAR < distance(usual);
}

/** Normalization that leaves samples raw. */
export function rawLike({ mean, std }: Normalization): Normalization {
  return { scale: 1, mean: mean.map(() => 0), std: std.map(() => 1) };
}

/** Metadata of a file that takes raw samples. */
export function rawSamples({ sampleShape }: Dataset): ReadonlyMap<string, string> {
  return new Map([['preprocessing', JSON.stringify({ shape: sampleShape, scale: 1, mean: [0], std: [1] })]]);
}

/** Mean and deviation of raw samples, channel by channel. */
function momentsOf(dataset: Dataset): readonly { readonly mean: number; readonly deviation: number }[] {
  const { scale, mean, std } = dataset.normalization;
  const step = Math.ceil(dataset.count / SEEN);
  const rows = Int32Array.from({ length: Math.ceil(dataset.count / step) }, (_, i) => i * step);
  const x = viewOf(dataset, rows, PLAIN);
  const channels = mean.length;
  const each = x.length / channels;
  const sums = new Float64Array(channels);
  x.forEach((value, i) => (sums[i % channels]! += value / each));
  const squares = new Float64Array(channels);
  x.forEach((value, i) => (squares[i % channels]! += (value - sums[i % channels]!) ** 2 / each));
  return mean.map((own, c) => ({
    mean: (sums[c]! * std[c]! + own) / scale,
    deviation: (Math.sqrt(squares[c]!) * std[c]!) / scale,
  }));
}
