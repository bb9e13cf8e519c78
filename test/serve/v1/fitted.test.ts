import { fittedTo } from '../../../src/serve/v1/fitted.ts';
import { loadForm } from '../../../src/serve/v1/forms.ts';
import { describedBy, fedShape, prepared } from '../../../src/serve/v1/preparation.ts';

const stated = (shape: readonly number[], layout?: 'nchw') => ({
  shape: [...shape],
  ...{ scale: 2, mean: Array.from({ length: shape.at(-1)! }, (_, c) => c), std: [1] },
  ...(layout && { layout }),
});

const model = (input: readonly number[], own: object) =>
  ({
    facts: { inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', ...input] }], outputs: [], batching: { kind: 'open' } },
    metadata: new Map([['preprocessing', JSON.stringify(own)]]),
  }) as never; // prettier-ignore

beforeAll(() => loadForm({ logits: false }));

it('a preparation of sequences fits an input with channels last, or with channels first where it says so', () => {
  expect(fittedTo([3, 2], stated([3, 2]))).toMatchObject({ shape: [3, 2] });
  expect(fittedTo([2, 3], stated([3, 2], 'nchw'))).toMatchObject({ shape: [3, 2], layout: 'nchw', fed: [2, 3] });
  expect(fittedTo([2, 3], stated([3, 2]))).toBeUndefined();
  expect(fittedTo([3, 2], stated([3, 2], 'nchw'))).toBeUndefined();
  expect(fittedTo([6], stated([3, 2]))).toBeUndefined();
});

it('rows of a grey picture are a sequence to an input of three axes', () => {
  const described = describedBy(model([3, 2], stated([3, 2, 1])))!;
  expect([described.shape, fedShape(described)]).toEqual([
    [3, 2, 1],
    [3, 2],
  ]);
});

it('a sequence is normalized channel by channel, and turned for an input with channels first', () => {
  const described = describedBy(model([2, 3], stated([3, 2], 'nchw')))!;
  expect([described.shape, fedShape(described)]).toEqual([
    [3, 2],
    [2, 3],
  ]);
  // [steps, channels]: 2 x - c.
  expect([...prepared(Float32Array.of(1, 10, 2, 20, 3, 30), described)]).toEqual([2, 4, 6, 19, 39, 59]);
});
