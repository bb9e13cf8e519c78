import { translationOf } from '../../../src/observers/shadow/preparation.ts';
import { loadForm } from '../../../src/serve/v1/forms.ts';

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

it('a shadow of other layout gets the sequences of the model turned, of as many steps as channels too', () => {
  const turned = (student: object, teacher: object, fed: readonly number[]) => [
    ...translationOf(student as never, teacher as never, 't.onnx').toTeacher(Float32Array.from(fed)),
  ];
  expect(turned(model([3, 2], stated([3, 2])), model([2, 3], stated([3, 2], 'nchw')), [1, 2, 3, 4, 5, 6])).toEqual([1, 3, 5, 2, 4, 6]); // prettier-ignore
  expect(turned(model([2, 2], stated([2, 2])), model([2, 2], stated([2, 2], 'nchw')), [1, 2, 3, 4])).toEqual([1, 3, 2, 4]); // prettier-ignore
  expect(turned(model([2, 2], stated([2, 2])), model([2, 2], stated([2, 2])), [1, 2, 3, 4])).toEqual([1, 2, 3, 4]); // prettier-ignore
});
