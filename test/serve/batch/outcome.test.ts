import { answerShares } from '../../../src/serve/batch/outcome.ts';
import type { Waiting } from '../../../src/serve/batch/queue.ts';
import type { ServedModel } from '../../../src/serve/model.ts';
import { bytesOf } from '../../../src/base/bytes.ts';
import { typedView } from '../../../src/serve/v2/json-tensor.ts';

const model = (kind: 'rows' | 'whole') => ({ facts: { batching: { kind } } }) as unknown as ServedModel;
const asking = (samples: number, ...outputs: string[]) => ({ request: { samples, outputs } }) as unknown as Waiting;

/** Outputs of six samples: one number of each, and two. */
const values = (shape: number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => 10 * i);
const outputs = [
  { name: 'a', dtype: 'float32', shape: [6, 1], bytes: bytesOf(values([6, 1])) },
  { name: 'b', dtype: 'float32', shape: [6, 2], bytes: bytesOf(values([6, 2])) },
] as const;

it('each request gets its own samples of the outputs that it asked for', () => {
  const given = answerShares(model('rows'), [asking(3, 'b'), asking(1, 'a', 'b'), asking(2, 'a')], outputs);
  const seen = given.map((own) =>
    own.map(({ name, dtype, shape, bytes }) => [name, ...shape, ...(typedView(dtype, shape, bytes) as Float32Array)]),
  );
  expect(seen).toEqual([
    [['b', 3, 2, 0, 10, 20, 30, 40, 50]],
    [
      ['a', 1, 1, 30],
      ['b', 1, 2, 60, 70],
    ],
    [['a', 2, 1, 40, 50]],
  ]);
});

it('an output without a row for each sample cannot be shared out', () => {
  expect(() => answerShares(model('rows'), [asking(3, 'a'), asking(4, 'a')], outputs)).toThrow(
    'output a has the shape [6, 1] for 7 samples',
  );
  expect(answerShares(model('rows'), [asking(4, 'a')], outputs)[0]![0]).toBe(outputs[0]);
});
