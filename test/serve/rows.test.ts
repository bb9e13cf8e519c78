import { modelPaths } from '../../src/serve/http/openapi-models.ts';
import type { ServedModel } from '../../src/serve/model.ts';
import { valuesOf } from '../../src/serve/v1/read.ts';

/** As pandas writes columns of booleans and of numbers into a CSV file. */
const columns = [{ name: 'open', words: ['False', 'True'] }, { name: 'grade', words: ['1.0', '2.0', '3'] }, { name: 'size' }]; // prettier-ignore
const ask = (row: object): number[] => [
  ...valuesOf(Buffer.from(JSON.stringify(row)), { shape: [6], logits: true, columns }),
];

it('a row has words as the file had them, or as JSON has the value', () => {
  expect(ask({ open: 'True', grade: '2.0', size: 1.5 })).toEqual([0, 1, 0, 1, 0, 1.5]);
  expect(ask({ open: true, grade: 2, size: 1.5 })).toEqual([0, 1, 0, 1, 0, 1.5]);
  expect(ask({ open: false, grade: 3, size: 0 })).toEqual([1, 0, 0, 0, 1, 0]);
});

it.each<[string, object, RegExp]>([
  [
    'a number beyond float32',
    { open: true, grade: 2, size: 1e39 },
    /column "size": expected a number, received 1e\+39/,
  ],
  ['lost digits', { open: true, grade: 2 ** 60, size: 1 }, /column "grade": .* more digits .*send a text/],
  ['no word', { open: null, grade: 2, size: 1 }, /column "open": expected a word, received null/],
])('a row is refused with %s', (_name, row, message) => {
  expect(() => ask(row)).toThrow(message);
});

it('a word that train did not have is none of those that it had', () => {
  expect(ask({ open: 'true', grade: 2.5, size: 0 })).toEqual([0, 0, 0, 0, 0, 0]);
});

it('OpenAPI names the columns of a row, and says which are dates and which may be missing', () => {
  const dated = [...columns, { name: 'day', date: ['days', 'month'], missing: [1, 2] }];
  const facts = {
    ...{ batching: { kind: 'free' }, outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', 2] }] },
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 8] }],
  };
  const metadata = new Map([['columns', JSON.stringify(dated)]]);
  const paths = modelPaths([{ name: 'm', facts, metadata } as unknown as ServedModel]);
  const { post } = paths['/v1/m'] as { post: { requestBody: { content: Record<string, { schema: object }> } } };
  const row = {
    type: 'object',
    required: ['open', 'grade', 'size', 'day'],
    properties: {
      ...{ open: { type: ['number', 'boolean', 'string'] }, grade: { type: ['number', 'boolean', 'string'] } },
      size: { type: ['number', 'boolean'] },
      day: { type: ['string', 'null'], description: expect.stringContaining('ISO 8601') as string },
    },
    additionalProperties: false,
  };
  expect(post.requestBody.content['application/json']!.schema).toMatchObject({
    properties: { inputs: { anyOf: [{ anyOf: [row, { minItems: 8 }] }, { type: 'array' }] } },
  });
});
