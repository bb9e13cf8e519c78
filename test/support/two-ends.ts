import { RandomStream } from '../../src/base/random.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';

/** A model of two inputs and two outputs, and samples for it. */

const [WORDS, WIDTH] = [20, 8];
/** Words of a sample. */
export const LENGTH = 4;

/** Whether most of four words are odd, but for samples whose first number is above 1: those are the third class. */
export function samples(count: number) {
  const random = new RandomStream('several ends', count);
  const ids = Array.from({ length: count * LENGTH }, () => random.below(WORDS));
  const numbers = Float32Array.from({ length: count * 2 }, () => 5 + random.normal());
  const labels = Array.from({ length: count }, (_, i) => {
    const odd = ids.slice(i * LENGTH, (i + 1) * LENGTH).filter((id) => id % 2 === 1).length;
    return numbers[2 * i]! > 6 ? 2 : odd > 2 ? 1 : 0;
  });
  return { count, ids, numbers, labels };
}

/** What a teacher knows of `samples`: the share of odd words and the excess of the number, and the scores that follow. */
const KNOWN: Readonly<Record<string, (i: number) => number>> = {
  words: (i) => (i % WIDTH === 0 ? Math.floor(i / WIDTH) % 2 : 0),
  'hidden.weight': (i) => (i === 0 || i === WIDTH * 16 + 1 ? 1 : 0),
  'hidden.bias': (i) => (i === 1 ? -1 : 0),
  'scores.weight': (i) => (i === 1 ? 10 : i === 5 ? 1000 : 0),
  'scores.bias': (i) => (i === 1 ? -6.25 : 0),
};

/** Words and numbers to a norm and scores, in this order, as an ONNX file: one that knows, or one of random weights. */
export function model(seed: number | 'knows', inputs = { ids: 'ids', numbers: 'numbers' }): Uint8Array {
  const b = new GraphBuilder();
  const random = new RandomStream('model', seed);
  const drawn = (shape: readonly number[], name: string): string => {
    const size = shape.reduce((product, each) => product * each, 1);
    const values = Float32Array.from({ length: size }, (_, i) =>
      seed === 'knows' ? KNOWN[name]!(i) : 0.4 * random.normal(),
    );
    return b.constant({ dtype: 'float32', shape }, values, name);
  };
  const ids = b.input(inputs.ids, { dtype: 'int64', shape: ['batch', LENGTH] });
  const numbers = b.input(inputs.numbers, { dtype: 'float32', shape: ['batch', 2] });
  const words = b.op('GatherV2', [drawn([WORDS, WIDTH], 'words'), ids], { axis: 0, batchDims: 0 });
  const mean = b.op('Mean', [words], { axes: [1], keepDims: false });
  const both = b.op('Concat', [mean, numbers], { axis: 1 });
  const dense = (x: string, from: number, to: number, name: string): string => {
    const product = b.op('BatchMatMul', [x, drawn([from, to], `${name}.weight`)], {
      transposeA: false,
      transposeB: false,
    });
    return b.op('Add', [product, drawn([to], `${name}.bias`)]);
  };
  const hidden = b.op('Relu', [dense(both, WIDTH + 2, 16, 'hidden')]);
  b.output('norm', b.op('Mean', [hidden], { axes: [1], keepDims: true }));
  b.output('scores', dense(hidden, 16, 3, 'scores'));
  return encodeModel(lowerToOnnx(b.build()));
}
