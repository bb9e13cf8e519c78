import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../src/graph/builder.ts';
import { sha256 } from '../../src/base/bytes.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { ask, serving } from './server.ts';
import type { Served } from './server.ts';

const LENGTH = 5;
const tokenizer = Buffer.from(JSON.stringify(wordPieces(['my', 'card'])));
const text = {
  tokenizer: 'tokenizer.json',
  sha256: sha256(tokenizer),
  texts: 1,
  length: LENGTH,
  truncate: 'end',
  vocabulary: 58,
  padding: 0,
};

/** Answers the ids of its input: [batch, 5] to [batch, 5]. */
function echo(form: object): Uint8Array {
  const b = new GraphBuilder();
  const x = b.input('input', { dtype: 'float32', shape: ['batch', LENGTH] });
  const one = b.constant({ dtype: 'float32', shape: [] }, Float32Array.of(1));
  b.output('values', b.op('Multiply', [x, one]));
  const preprocessing = { shape: [LENGTH], scale: 1, mean: new Array(LENGTH).fill(0), std: new Array(LENGTH).fill(1) };
  const entries = { text: form, preprocessing, targets: ['a', 'b', 'c', 'd', 'e'] };
  const metadata = new Map(Object.entries(entries).map(([key, value]) => [key, JSON.stringify(value)]));
  return encodeModel(lowerToOnnx(b.build(), { metadata: metadata.set('output', 'values') }));
}

let server: Served;
beforeAll(async () => {
  server = await serving({
    'tokenizer.json': tokenizer,
    'words.onnx': echo(text),
    'pairs.onnx': echo({ ...text, texts: 2 }),
    'bytes.onnx': echo({ ...text, tokenizer: 'bytes', sha256: undefined }),
    'other.onnx': echo({ ...text, sha256: 'e3b0' }),
  });
});
afterAll(() => server.end());

async function ids(model: string, body: object | string, type = 'application/json'): Promise<number[][]> {
  const { json } = await ask(server, `/v1/${model}`, { body, headers: { 'content-type': type } });
  expect(json['error']).toBeUndefined();
  return (json['predictions'] as { values: { score: number }[] }[]).map(({ values }) =>
    values.map(({ score }) => score),
  );
}

it('takes texts, and pairs of them, as the metadata of the file say', async () => {
  const [my, card] = [56, 57];
  expect(await ids('words', { inputs: 'My card' })).toEqual([[2, my, card, 3, 0]]);
  expect(await ids('words', 'my', 'text/plain; charset=utf-8')).toEqual([[2, my, 3, 0, 0]]);
  expect(await ids('words', { inputs: ['my', 'card card card card'] })).toEqual([
    [2, my, 3, 0, 0],
    [2, card, card, card, 3],
  ]);
  expect(await ids('words', { inputs: [2, my, 3, 0, 0] })).toEqual([[2, my, 3, 0, 0]]);
  expect(await ids('pairs', { inputs: ['my', 'card'] })).toEqual([[2, my, 3, card, 3]]);
  expect(
    await ids('pairs', {
      inputs: [
        ['my', 'card'],
        ['card', 'my'],
      ],
    }),
  ).toHaveLength(2);
  expect(await ids('bytes', { inputs: 'é' })).toEqual([[0xc3 + 1, 0xa9 + 1, 0, 0, 0]]);
});

it.each<[string, object | string | Uint8Array, string, number, RegExp]>([
  ['words', { inputs: ' ' }, 'application/json', 400, /the text is empty/],
  ['words', { inputs: [['my', 'card']] }, 'application/json', 400, /expected a text, or an array of texts/],
  ['words', '{', 'application/json', 400, /no JSON/],
  ['words', Uint8Array.of(0xe9), 'text/plain', 400, /no UTF-8/],
  ['pairs', { inputs: 'my' }, 'application/json', 400, /expected a pair of texts/],
  ['pairs', 'my', 'text/plain', 400, /received one text/],
  ['other', { inputs: 'my' }, 'application/json', 500, /expected the tokenizer of hash e3b0/],
])('refuses what is no text for %s: %j', async (model, body, type, status, message) => {
  const answer = await ask(server, `/v1/${model}`, { body, headers: { 'content-type': type } });
  expect(answer.status).toBe(status);
  expect(answer.json['error']).toMatch(message);
});
