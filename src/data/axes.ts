import { countOfElements } from './dataset.ts';

/** Order of the axes of an input: channels last or first, for pictures, sequences and volumes alike. */
export type AxisOrder = 'nhwc' | 'nchw';

/** Shape in which an input takes a sample, and the order of its axes. */
export interface FedShape {
  readonly layout: AxisOrder;
  readonly shape: readonly number[];
}

/**
 * Shapes in which an input may take a sample, best first: pictures and volumes [..., channels] with channels first (as in PyTorch) or last; sequences
 * [steps, channels] with channels last or first; a grey picture also as a sequence of rows; and every sample as one row of numbers.
 */
export function fedShapes(sample: readonly number[]): readonly FedShape[] {
  const channels = sample.at(-1)!;
  const both = (shape: readonly number[]): FedShape[] => [
    { layout: 'nhwc', shape },
    { layout: 'nchw', shape },
  ];
  const row = both([countOfElements(sample)]);
  if (sample.length === 1) return row;
  const first: FedShape = { layout: 'nchw', shape: channelsFirst(sample) };
  const last: FedShape = { layout: 'nhwc', shape: sample };
  if (sample.length === 2) return [last, first, ...row];
  return [first, last, ...(sample.length === 3 && channels === 1 ? both(sample.slice(0, 2)) : []), ...row];
}

/** Shape with the last axis moved to the front. */
function channelsFirst(sample: readonly number[]): readonly number[] {
  return [sample.at(-1)!, ...sample.slice(0, -1)];
}

/** Grey pictures [height, width, 1] from arrays [height, width]. */
export function asPictures<S extends { readonly sampleShape: readonly number[] }>(split: S): S {
  return { ...split, sampleShape: [...split.sampleShape, 1] };
}
