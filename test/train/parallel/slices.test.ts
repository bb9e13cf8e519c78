import type { TensorType } from '../../../src/graph/types.ts';
import { Slices } from '../../../src/train/parallel/slices.ts';

const type = (...shape: number[]): TensorType => ({ dtype: 'float32', shape });
const outputs = new Map([
  ['loss', type()],
  ['gradient/a', type(2, 3)],
  ['gradient/b', type(4)],
]);
const values = {
  loss: Float32Array.of(1),
  'gradient/a': Float32Array.of(2, 3, 4, 5, 6, 7),
  'gradient/b': Float32Array.of(8, 9, 10, 11),
};

it('results lie one after another, and come back by their names', () => {
  const slices = new Slices(outputs, { count: 3 });
  expect([slices.turns, slices.width]).toEqual([1, 4]);
  const flat = new Float32Array(12);
  slices.write(values, flat);
  expect([...flat]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0]);
  expect(slices.read(flat)).toEqual(values);
});

it('a part has parts of those at its ends, and is written from the whole or from itself', () => {
  const slices = new Slices(outputs, { count: 3 });
  const parts = slices.read(Float32Array.of(5, 6, 7, 8), 4);
  expect(parts).toEqual({ 'gradient/a': Float32Array.of(5, 6, 7), 'gradient/b': Float32Array.of(8) });
  for (const given of [parts, values]) {
    const slice = new Float32Array(4);
    slices.write(given, slice, 4);
    expect([...slice]).toEqual([5, 6, 7, 8]);
  }
});

it('turns hold what slices of a limit cannot', () => {
  const of = (options: object) => {
    const { turns, width } = new Slices(outputs, { count: 2, ...options });
    return [turns, width];
  };
  expect(of({ most: 2 })).toEqual([3, 2]);
  expect(of({ multipleOf: 4 })).toEqual([1, 8]);
  expect(of({ most: 3, multipleOf: 2 })).toEqual([2, 4]);
});

it('more slices than numbers leave some empty', () => {
  const slices = new Slices(new Map([['loss', type()]]), { count: 3 });
  expect(slices.read(new Float32Array(1), 2)).toEqual({});
  expect(slices.read(Float32Array.of(7, 0, 0))).toEqual({ loss: Float32Array.of(7) });
});
