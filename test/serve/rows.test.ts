import { modelPaths } from '../../src/serve/http/openapi-models.ts';
import type { ServedModel } from '../../src/serve/model.ts';
import { loadForm } from '../../src/serve/v1/forms.ts';
import { statedNames } from '../../src/serve/v1/preparation.ts';
import { valuesOf } from '../../src/serve/v1/read.ts';
import { unknownWords } from '../../src/serve/v1/unknown.ts';
import { echo } from './models.ts';
import { ask as askServer, serving } from './server.ts';
import type { Served } from './server.ts';

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

it('a word that train did not have is none of those that it had, and its column is named', () => {
  const rows = [{ open: 'true', grade: 2.5, size: 0 }, { open: true, grade: 3, size: 7 }, { open: false, grade: 4, size: 1 }]; // prettier-ignore
  const raw = valuesOf(Buffer.from(JSON.stringify(rows)), { shape: [6], logits: true, columns });
  expect(unknownWords(raw, { columns })).toEqual([['open', 'grade'], [], ['grade']]);
  expect([...raw]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 7, 1, 0, 0, 0, 0, 1]);
  expect(unknownWords(raw, { columns })).toBeUndefined();
  // A missing word is none that train did not have.
  const optional = columns.map((column) => ({ ...column, missing: 0 }));
  const missing = valuesOf(Buffer.from('{"open":null,"grade":2,"size":null}'), { shape: [6], logits: true, columns: optional }); // prettier-ignore
  expect(unknownWords(missing, { columns: optional })).toBeUndefined();
});

describe('a served model of a table', () => {
  const files = { 'table.onnx': echo([6], { columns }) };
  let servers: Served[];
  beforeAll(async () => {
    servers = await Promise.all([serving(files), serving(files, { strict: true })]);
  });
  afterAll(() => Promise.all(servers.map((server) => server.end())));

  it('says in the answer, the metrics and the log that a word is none of those of train', async () => {
    const [server] = servers as [Served];
    const rows = [{ open: 'Ja', grade: '3', size: 1 }, { open: 'True', grade: '3', size: 1 }]; // prettier-ignore
    const { status, json } = await askServer(server, '/v1/table', { body: { inputs: rows } });
    const [first, second] = json['predictions'] as { unknown?: string[]; values: { score: number }[] }[];
    expect([status, first!.unknown, second!.unknown]).toEqual([200, ['open'], undefined]);
    expect(first!.values.map(({ score }) => score)).toEqual([0, 0, 0, 0, 1, 1]);
    const metrics = (await askServer(server, '/metrics')).body.toString();
    expect(metrics).toContain('limbeck_serve_unknown_words_total{model="table",column="open"} 1');
    await askServer(server, '/v1/table', { body: { inputs: Array.from({ length: 9 }, () => rows[0]) } });
    expect(server.lines.filter((line) => line.includes('"open"'))).toEqual([
      'warn: model table: a word in the column "open" that train does not have',
      'warn: model table: 10 words so far in the column "open" that train does not have',
    ]);
  });

  it('is refused such a word by a strict server', async () => {
    const strict = servers[1]!;
    const known = { open: 'True', grade: '3', size: 1 };
    expect((await askServer(strict, '/v1/table', { body: known })).status).toBe(200);
    const { status, json } = await askServer(strict, '/v1/table', { body: [known, { ...known, grade: '9' }] });
    expect(status).toBe(400);
    expect(json['error']).toBe(
      'sample 1: column "grade": expected a word that train has, received another one; train has "1.0", "2.0", "3"',
    );
  });
});

it('OpenAPI names the columns of a row, and says which are dates and which may be missing', async () => {
  const dated = [...columns, { name: 'day', date: ['days', 'month'], missing: [1, 2] }];
  const facts = {
    ...{ batching: { kind: 'free' }, outputs: [{ name: 'logits', dtype: 'float32', shape: ['batch', 2] }] },
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 8] }],
  };
  const metadata = new Map([['columns', JSON.stringify(dated)]]);
  await loadForm(statedNames({ metadata }));
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
