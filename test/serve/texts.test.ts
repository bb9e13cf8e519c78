// Needs the features jsonl and tags.
import { Validator } from '@seriousme/openapi-schema-validator';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { sampleId } from '../../src/data/dataset.ts';
import { sessionOptionsOf } from '../../src/runtime/recipe-options.ts';
import { loadData } from '../../src/setup/data.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { logitsOfFile } from '../../src/ship/model-file.ts';
import { taskOf } from '../../src/tasks/registry.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { asJsonl, taggedSentences } from '../support/tags.ts';
import { wordPieces } from '../support/tokenizer.ts';
import { echo, tagger, threeInputs } from './models.ts';
import { ask, serving } from './server.ts';
import type { Served } from './server.ts';

const LENGTH = 5;
const TAGGED = ['new', 'york', 'ada', 'in', 'is', 'house', 'stone'];
const tokenizer = Buffer.from(JSON.stringify(wordPieces(['my', 'card', ...TAGGED])));
const text = {
  tokenizer: 'tokenizer.json',
  sha256: sha256(tokenizer),
  texts: 1,
  length: LENGTH,
  truncate: 'end',
  vocabulary: 65,
  padding: 0,
};

/** Answers the ids of its input: [batch, 5] to [batch, 5]. */
const idsModel = (form: object): Uint8Array => echo([LENGTH], { text: form });

/** Tokens of a sentence, and tags of its words. */
const SENTENCE = 24;
const NAMES = ['O', 'B-PER', 'I-PER', 'B-LOC', 'I-LOC'];
const tagsModel = (change: Readonly<Record<string, string>> = {}, names = NAMES): Uint8Array => {
  const form = JSON.stringify({ ...text, length: SENTENCE });
  const entries = { task: 'tagging', output: 'logits', targets: JSON.stringify(names), text: form };
  return tagger(SENTENCE, 5, new Map(Object.entries({ ...entries, ...change })));
};

/** Ids, mask and types of pairs, which the data had in another order than the file. */
const partsModel = (change: Readonly<Record<string, string>> = {}): Uint8Array => {
  const size = 3 * LENGTH;
  const inputs = ['attention_mask', 'input_ids', 'token_type_ids'].map((name, i) => {
    return { name, shape: [LENGTH], from: i * LENGTH, isWhole: true };
  });
  const entries = {
    ...{ output: 'values', targets: JSON.stringify(Array.from({ length: LENGTH }, (_, i) => `value ${i}`)) },
    ...{ text: JSON.stringify({ ...text, texts: 2 }), inputs: JSON.stringify(inputs) },
    preprocessing: JSON.stringify({
      shape: [size],
      scale: 1,
      mean: new Array(size).fill(0),
      std: new Array(size).fill(1),
    }),
  };
  return threeInputs(LENGTH, new Map(Object.entries({ ...entries, ...change })));
};

let server: Served;
beforeAll(async () => {
  server = await serving({
    'tokenizer.json': tokenizer,
    'words.onnx': idsModel(text),
    'pairs.onnx': idsModel({ ...text, texts: 2 }),
    'bytes.onnx': idsModel({ ...text, tokenizer: 'bytes', sha256: undefined }),
    'parts.onnx': partsModel(),
    'partless.onnx': partsModel({ inputs: '[]' }),
    'other.onnx': idsModel({ ...text, sha256: 'e3b0' }),
    'tags.onnx': tagsModel(),
    'plain.onnx': tagsModel({}, ['NOUN', 'VERB', 'ADJ', 'ADP', 'PUNCT']),
    'textless.onnx': tagsModel({ text: 'null' }),
    'fewer.onnx': tagsModel({}, NAMES.slice(1)),
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

it('gives a model of ids, mask and types all three', async () => {
  const [my, card] = [56, 57];
  // 100 for a token, 1000 for one of the second text.
  expect(
    await ids('parts', {
      inputs: [
        ['my', 'card'],
        ['card', 'my'],
      ],
    }),
  ).toEqual([
    [102, 100 + my, 103, 1100 + card, 1103],
    [102, 100 + card, 103, 1100 + my, 1103],
  ]);
  const row = [0, 0, 1, 0, 0, 9, 8, 7, 6, 5, 1, 0, 0, 0, 0];
  expect(await ids('parts', { inputs: row })).toEqual([[1009, 8, 107, 6, 5]]);
});

it.each<[string, object | string | Uint8Array, string, number, RegExp]>([
  [
    'parts',
    { inputs: Array.from({ length: 15 }, () => 0.5) },
    'application/json',
    400,
    /expected token ids, from 0 to 64, received 0.5/,
  ],
  ['words', { inputs: [2, 1.5, 3, 0, 0] }, 'application/json', 400, /expected token ids, .* received 1.5/],
  ['words', { inputs: [2, 65, 3, 0, 0] }, 'application/json', 400, /expected token ids, .* received 65/],
  ['words', { inputs: [2, -1, 3, 0, 0] }, 'application/json', 400, /received -1; or send the text itself/],
  ['partless', { inputs: ['my', 'card'] }, 'application/json', 400, /send requests to \/v2/],
  ['words', { inputs: ' ' }, 'application/json', 400, /the text is empty/],
  ['words', { inputs: [['my', 'card']] }, 'application/json', 400, /expected a text, or an array of texts/],
  ['words', '{', 'application/json', 400, /no JSON/],
  ['words', Uint8Array.of(0xe9), 'text/plain', 400, /no UTF-8/],
  ['pairs', { inputs: 'my' }, 'application/json', 400, /expected a pair of texts/],
  ['pairs', 'my', 'text/plain', 400, /received one text/],
  ['other', { inputs: 'my' }, 'application/json', 500, /expected the tokenizer of hash e3b0/],
  [
    'other',
    { inputs: new Array(65).fill('my') },
    'application/json',
    400,
    /takes up to 64 samples in a request, received 65/,
  ],
])('refuses what is no text for %s: %j', async (model, body, type, status, message) => {
  const answer = await ask(server, `/v1/${model}`, { body, headers: { 'content-type': type } });
  expect(answer.status).toBe(status);
  expect(answer.json['error']).toMatch(message);
});

interface Tagged {
  readonly words: readonly { readonly word: string; readonly label?: string; readonly probability?: number }[];
  readonly unread?: number;
  readonly entities?: readonly { readonly type: string; readonly text: string; readonly from: number; readonly to: number }[]; // prettier-ignore
}

async function tagged(place: string, body: object | string, type = 'application/json'): Promise<Tagged[]> {
  const { json } = await ask(server, `/v1/${place}`, { body, headers: { 'content-type': type } });
  expect(json['error']).toBeUndefined();
  return json['predictions'] as Tagged[];
}

it('gives the words of all rows of a test split the tags and entities by which `limbeck evaluate` scores', async () => {
  // Among them sentences that are longer than the model reads, and words without a token.
  const rows = taggedSentences(60, 'served').map(({ tokens, tags }, i) =>
    i % 4 === 0 ? { tokens: ['Stone', '\u0001', ...tokens], tags: ['B-PER', 'I-PER', ...tags] } : { tokens, tags },
  );
  await writeFile(path.join(server.folder, 'rows.jsonl'), asJsonl(rows));
  const recipe = makeRecipe(
    {
      name: 'served',
      dataset: {
        ...{ type: 'jsonl', task: 'tagging', train: 'rows.jsonl', validation: 5, test: 'rows.jsonl', label: 'tags' },
        ...{ classes: NAMES, text: { column: 'tokens', tokenizer: 'tokenizer.json', length: SENTENCE } },
      },
      student: { model: 'text-cnn' },
    },
    server.folder,
  );
  const file = path.join(server.folder, 'tags.onnx');
  const { entities } = await evaluateFile(file, recipe, 'test');
  const given = await tagged('tags', { inputs: rows.map(({ tokens }) => tokens) });

  // Row by row, by the words that the data have a tag for.
  const { test } = await loadData(recipe.recipe);
  const session = sessionOptionsOf(recipe.recipe);
  const answers = await logitsOfFile({ file, bytes: readFileSync(file), format: 'onnx', precision: 'fp32' }, test!, {
    session,
  });
  const task = taskOf(test!);
  let [right, words, unread] = [0, 0, 0];
  for (let row = 0; row < test!.count; row++) {
    const at = Number(sampleId(test!, row).split('/')[1]);
    const { words: all, entities: own, unread: without = 0 } = given[at]!;
    const read = [...all.keys()].filter((i) => all[i]!.label !== undefined);
    const expected = task.entities!.given(answers, row, test!.targets);
    expect(own!.map(({ type, from, to }) => ({ type, from, to }))).toEqual(
      expected.map(({ type, from, to }) => ({ type, from: read[from], to: read[to] })),
    );
    expect(all.map(({ word }) => word)).toEqual(rows[at]!.tokens);
    expect(without).toBe(all.length - read.length);
    right += read.filter((i) => all[i]!.label === rows[at]!.tags[i]).length;
    words += read.length;
    unread += without;
  }
  expect(unread).toBeGreaterThan(15);
  expect([words, right / words]).toEqual([entities!.words, entities!.rightWords]);
  const count = (type: string): number =>
    given.flatMap((one) => one.entities!).filter((one) => one.type === type).length;
  expect(entities!.rows.map(({ name, given: of }) => [name, of])).toEqual(
    ['PER', 'LOC'].map((type) => [type, count(type)]),
  );
});

it('cuts texts into words by the boundaries of Unicode, and answers words as they were sent', async () => {
  const [said] = await tagged('tags', { inputs: "Ada is in New-York, isn't she?" });
  const cut = ['Ada', 'is', 'in', 'New', '-', 'York', ',', "isn't", 'she', '?'];
  expect(said!.words.map(({ word }) => word)).toEqual(cut);
  expect(await tagged('tags', "Ada is in New-York, isn't she?", 'text/plain')).toEqual([said]);
  expect(await tagged('tags', { inputs: [cut] })).toEqual([said]);
  const two = await tagged('tags', { inputs: ['Ada', 'is'] });
  expect(two.map(({ words }) => words)).toEqual(cut.slice(0, 2).map((_, i) => [said!.words[i]]));
  for (const { probability } of said!.words) expect(probability).toBeGreaterThan(0.2);
  const [first] = await tagged('tags?top=2', { inputs: 'Ada' });
  expect(first!.words[0]).toMatchObject({ ...said!.words[0], top: [{ label: said!.words[0]!.label }, {}] });
  // Parts of speech mark no entities.
  const [plain] = await tagged('plain', { inputs: 'Ada' });
  expect(Object.keys(plain!)).toEqual(['words']);
  expect((await ask(server, '/v1/tags')).json).toMatchObject({ tags: NAMES, text: { length: SENTENCE } });
  const described = (await ask(server, '/openapi.json')).json;
  expect(described['paths']).toHaveProperty(['/v1/tags', 'post', 'requestBody', 'content', 'text/plain']);
  expect(await new Validator().validate(described)).toEqual({ valid: true });
});

it.each<[string, object | string, string, RegExp]>([
  ['tags', { inputs: ' ' }, 'application/json', /the text is empty/],
  ['tags', { inputs: [] }, 'application/json', /expected a text, an array of texts, or .* received none/],
  ['tags', { inputs: [['New', ' ']] }, 'application/json', /expected a text for word 1, received " "/],
  ['tags', { inputs: [['New', 3]] }, 'application/json', /expected a text for word 1, received 3/],
  ['tags', { inputs: [[]] }, 'application/json', /lists of words, .* received \[\]/],
  ['tags', { inputs: [1, 2] }, 'application/json', /token ids do not tell where words begin/],
  ['tags', 'x', 'image/png', /takes texts and lists of words/],
  [
    'tags',
    { inputs: [...Array.from({ length: 64 }, () => 'a'), [3]] },
    'application/json',
    /takes up to 64 samples in a request, received 65/,
  ],
  ['textless', { inputs: 'a' }, 'application/json', /does not say how words become its input/],
  ['fewer', { inputs: 'a' }, 'application/json', /another shape than \[batch, tokens, tags\]/],
])('refuses what are no words for %s: %j', async (model, body, type, message) => {
  const { status, json } = await ask(server, `/v1/${model}`, { body, headers: { 'content-type': type } });
  expect([status, json['error']]).toEqual([400, expect.stringMatching(message)]);
});
