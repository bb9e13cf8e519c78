import vm from 'node:vm';
import { endsOf } from '../../../src/ship/kit/ends.ts';
import type { KitModel } from '../../../src/ship/kit/missing.ts';
import { oneField } from '../../../src/tasks/fields.ts';
import { sampleFile } from '../../../src/ship/kit/samples.ts';
import { model } from '../../support/two-ends.ts';

interface Fed {
  readonly name: string;
  readonly dtype: string;
  readonly data: ArrayLike<number | bigint>;
  readonly shape: readonly number[];
}

const script = `${sampleFile('feeds.js')}${sampleFile('joined.js')}`.replaceAll('export ', '');
const { feedsOf, joined } = vm.runInNewContext(`${script}({ feedsOf, joined })`) as {
  feedsOf: (model: object, prepared: Float32Array) => Fed[];
  joined: (model: object, arrays: object) => number[];
};

// The data have the numbers before the ids, the file has them behind.
const PARTS = [
  { name: 'numbers', shape: [2], from: 0, isWhole: false },
  { name: 'ids', shape: [4], from: 2, isWhole: true },
];
const FILE = { row: { format: 'onnx', file: 'm.onnx' }, bytes: model(1) } as unknown as KitModel;
const ENDS = endsOf(FILE, { sampleShape: [6], inputs: PARTS }, oneField([3]));

it('inputs of a file are listed in its order, each with its part of the sample', () => {
  expect(ENDS).toEqual({
    inputs: [
      { name: 'ids', dtype: 'int64', shape: [1, 4], from: 2 },
      { name: 'numbers', dtype: 'float32', shape: [1, 2], from: 0 },
    ],
    outputs: ['norm'],
    unfed: undefined,
  });
});

it('each input is fed its part in its own type', () => {
  const sample = joined(ENDS, { ids: [3, 1, 4, 1], numbers: [0.5, -2] });
  expect([...sample]).toEqual([0.5, -2, 3, 1, 4, 1]);
  const fed = feedsOf(ENDS, Float32Array.from(sample));
  expect(
    fed.map(({ name, data, shape }) => [name, data.constructor.name, ...Array.from(data, String), ...shape]),
  ).toEqual([
    ['ids', 'BigInt64Array', '3', '1', '4', '1', 1, 4],
    ['numbers', 'Float32Array', '0.5', '-2', 1, 2],
  ]);
});

it('an array too few, of another length, or of fractions is refused by the name of its input', () => {
  expect(() => joined(ENDS, { ids: [3, 1, 4, 1] })).toThrow('input numbers: expected 2 numbers, received none');
  expect(() => joined(ENDS, { ids: [3], numbers: [1, 2] })).toThrow('input ids: expected 4 numbers, received 1');
  expect(() => feedsOf(ENDS, Float32Array.of(0, 0, 1, 2, 2.5, 3))).toThrow(
    'input ids: expected whole numbers, received 2.5',
  );
});
