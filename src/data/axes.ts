import { countOfElements } from './dataset.ts';

/** Order of the axes of an input: channels last or first, of pictures, sequences and volumes alike. */
export type AxisOrder = 'nhwc' | 'nchw';

/** Shape in which an input takes one sample, and the order of the numbers in it. */
export interface FedShape {
  readonly layout: AxisOrder;
  readonly shape: readonly number[];
}

/**
 * Shapes in which an input may take a sample, the preferred one first. Pictures and volumes [..., channels] come with their channels first, as
 * PyTorch has them, or last; sequences [steps, channels] as they are or with their channels first; a grey picture also as its rows, one step
 * each; and everything as one row of numbers.
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

/** Shape of a sample with its last axis first. */
function channelsFirst(sample: readonly number[]): readonly number[] {
  return [sample.at(-1)!, ...sample.slice(0, -1)];
}

/** Grey pictures [height, width, 1] in place of arrays [height, width]. */
export function asPictures<S extends { readonly sampleShape: readonly number[] }>(split: S): S {
  return { ...split, sampleShape: [...split.sampleShape, 1] };
}
