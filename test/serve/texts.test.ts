import { sha256 } from '../../src/base/bytes.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { echo } from './models.ts';
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
const idsModel = (form: object): Uint8Array => echo([LENGTH], { text: form });

let server: Served;
beforeAll(async () => {
  server = await serving({
    'tokenizer.json': tokenizer,
    'words.onnx': idsModel(text),
    'pairs.onnx': idsModel({ ...text, texts: 2 }),
    'bytes.onnx': idsModel({ ...text, tokenizer: 'bytes', sha256: undefined }),
    'other.onnx': idsModel({ ...text, sha256: 'e3b0' }),
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
