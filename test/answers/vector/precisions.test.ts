import { bytesOfVector, inPrecision } from '../../../src/answers/vector/precisions.ts';

const vectors = { values: Float32Array.of(3, -4, 0, 12, 0, 5, 0, 0), width: 4 };

it('rounds vectors of length 1 to 8 bits, or to signs', () => {
  expect([...inPrecision(vectors, 'float32', 2).values]).toEqual([...[0.6, -0.8].map(Math.fround), 0, 1]);
  expect([...inPrecision(vectors, 'int8').values]).toEqual([32, -42, 0, 127, 0, 127, 0, 0]);
  expect([...inPrecision(vectors, 'binary').values]).toEqual([1, -1, -1, 1, -1, 1, -1, -1]);
});

it('says how many bytes a vector takes', () => {
  expect(['float32', 'int8', 'binary'].map((precision) => bytesOfVector(precision as 'int8', 100))).toEqual([
    400, 100, 13,
  ]);
});
