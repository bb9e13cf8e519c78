import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scoreQueries } from '../../../../src/answers/vector/tools/queries.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { cosineBy, recipeOf, writeModel } from '../../../support/text-vectors.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const DOCUMENTS: Readonly<Record<string, string>> = {
  ...{ d1: 'my card', d2: 'new card', d3: 'pin', d4: 'lost', d5: 'my pin', d6: 'my new pin', d7: 'card', d8: 'new' },
  ...{ d9: 'lost my card', e1: 'my', e2: 'lost pin', e3: 'card pin', e4: 'new lost', e5: 'my lost pin' },
};
const QUERIES: Readonly<Record<string, string>> = { q1: 'my lost card', q2: 'new pin', q3: 'card', q4: 'lost new' };
const GRADES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  q1: { d9: 3, d1: 1, d4: 0, d8: 2 },
  q2: { d6: 2, d5: 1, d3: 1, d9: -1 },
  q3: { d4: 0, d1: -2 },
  q4: { e4: 1 },
};

const lines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const QRELS = Object.entries(GRADES).flatMap(([query, of]) => Object.entries(of).map((row) => [query, ...row].join('\t'))); // prettier-ignore
const FILES = {
  'corpus.jsonl': lines(Object.entries(DOCUMENTS).map(([_id, text]) => ({ _id, text }))),
  'queries.jsonl': lines(Object.entries(QUERIES).map(([_id, text]) => ({ _id, text }))),
  'qrels/test.tsv': `query-id\tcorpus-id\tscore\n${QRELS.join('\n')}\n`,
};

function writeFiles(files: Readonly<Record<string, string | undefined>> = {}): string {
  rmSync(at('beir'), { recursive: true, force: true });
  mkdirSync(at('beir/qrels'), { recursive: true });
  for (const [name, content] of Object.entries({ ...FILES, ...files }))
    if (content !== undefined) writeFileSync(at(`beir/${name}`), content);
  return at('beir');
}

/** nDCG@10 and recall@10 of the queries q1, q2 and q4 by the definition. */
async function expected(file: string): Promise<{ readonly ndcg: number; readonly recall: number }> {
  const cosine = cosineBy(file);
  const figures: [number, number][] = [];
  for (const query of ['q1', 'q2', 'q4']) {
    const grades = GRADES[query]!;
    const found: [string, number][] = [];
    for (const [id, text] of Object.entries(DOCUMENTS)) found.push([id, await cosine(QUERIES[query]!, text)]);
    const ranked = found.sort(([a, x], [b, y]) => (Math.abs(x - y) > 1e-6 ? y - x : a < b ? 1 : -1)).slice(0, 10);
    const gains = ranked.map(([id]) => Math.max(grades[id] ?? 0, 0));
    const best = Object.values(grades).filter((grade) => grade > 0).sort((a, b) => b - a); // prettier-ignore
    const discounted = (values: readonly number[]): number =>
      values.reduce((sum, gain, i) => sum + gain / Math.log2(i + 2), 0);
    figures.push([discounted(gains) / discounted(best), gains.filter((gain) => gain > 0).length / best.length]);
  }
  const mean = (of: 0 | 1): number => figures.reduce((sum, one) => sum + one[of], 0) / figures.length;
  return { ndcg: mean(0), recall: mean(1) };
}

it('scores a search of the documents of a folder', async () => {
  const file = await writeModel(folder());
  const wanted = await expected(file);
  expect(wanted.ndcg).toBeLessThan(1);
  const found = await scoreQueries(file, recipeOf(folder()), writeFiles());
  expect(found).toEqual({
    ...{ file, queries: 3, documents: 14, withoutText: 0 },
    ...{ ndcg: expect.closeTo(wanted.ndcg, 12) as number, recall: expect.closeTo(wanted.recall, 12) as number },
  });
  const { 'qrels/test.tsv': qrels } = FILES;
  const beside = { 'qrels/test.tsv': undefined, 'qrels.tsv': qrels.replaceAll('\n', '\r\n') };
  expect(await scoreQueries(file, recipeOf(folder()), writeFiles(beside))).toEqual(found);
  // A title stands before the text; of queries it is not read.
  const cut = Object.entries(DOCUMENTS).map(([_id, whole]) => {
    const [title, ...rest] = whole.split(' ');
    return rest.length === 0 ? { _id, text: whole, title: null } : { _id, title, text: rest.join(' ') };
  });
  const asked = Object.entries(QUERIES).map(([_id, text]) => ({ _id, text, title: 'new' }));
  const titled = { 'corpus.jsonl': `\n${lines(cut)}`, 'queries.jsonl': lines(asked) };
  expect(await scoreQueries(file, recipeOf(folder()), writeFiles(titled))).toEqual(found);
});

it('brings more numbers than queries to fewer by the axes of the documents', async () => {
  const file = await writeModel(folder());
  const one = { 'queries.jsonl': lines([{ _id: 'q2', text: 'my new pin' }]), 'qrels/test.tsv': 'query-id\tcorpus-id\tscore\nq2\td6\t1\n' }; // prettier-ignore
  const found = await scoreQueries(file, recipeOf(folder(), { dimensions: 3 }), writeFiles(one));
  expect(found).toMatchObject({ queries: 1, ndcg: 1, recall: 1 });
});

it('of equal cosines has the larger id first, and misses a document without text', async () => {
  const file = await writeModel(folder());
  const documents = ['a', 'd', 'c', 'b', 'e'].map((_id) => ({ _id, text: _id === 'c' ? ' ' : 'card' }));
  const qrels = 'query-id\tcorpus-id\tscore\nq3\tb\t1\nq3\tc\t1\n';
  const found = await scoreQueries(file, recipeOf(folder()), writeFiles({ 'corpus.jsonl': lines(documents), 'qrels/test.tsv': qrels })); // prettier-ignore
  expect(found).toMatchObject({ queries: 1, documents: 4, withoutText: 1, recall: 0.5 });
  expect(found.ndcg).toBeCloseTo(1 / Math.log2(4) / (1 + 1 / Math.log2(3)), 12);
});

const HEADER = 'query-id\tcorpus-id\tscore\n';

it.each([
  ['corpus.jsonl', undefined, /corpus\.jsonl/],
  ['queries.jsonl', undefined, /queries\.jsonl/],
  ['qrels/test.tsv', undefined, /qrels\/test\.tsv/],
  ['corpus.jsonl', '', /corpus\.jsonl: the file is empty/],
  ['corpus.jsonl', '\n\n', /corpus\.jsonl: expected at least one text/],
  ['corpus.jsonl', '{"_id": "d1", "text": "my"}\n', /qrels\/test\.tsv:2: corpus-id: expected an _id of corpus\.jsonl/],
  [
    'corpus.jsonl',
    FILES['corpus.jsonl'].replaceAll(/"text":"[^"]*"/g, '"text":""'),
    /corpus\.jsonl: expected at least one text, received nothing/,
  ],
  ['corpus.jsonl', '{"_id": "d1", "text": "my"', /corpus\.jsonl:1: not valid JSON/],
  ['corpus.jsonl', '["d1", "my"]', /corpus\.jsonl:1: expected an object/],
  ['corpus.jsonl', '{"_id": 1, "text": "my"}', /corpus\.jsonl:1: _id: expected a text, received 1/],
  ['corpus.jsonl', '{"id": "1", "text": "my"}', /corpus\.jsonl:1: _id: expected a text, received nothing/],
  ['corpus.jsonl', '{"_id": "d1"}', /corpus\.jsonl:1: text: expected a text, received nothing/],
  ['corpus.jsonl', '{"_id": "d1", "text": "my", "title": 5}', /corpus\.jsonl:1: title: expected a text or none/],
  ['corpus.jsonl', `${FILES['corpus.jsonl']}{"_id": "d1", "text": "my"}`, /corpus\.jsonl:15: _id: expected an id that no other line has, received "d1"/], // prettier-ignore
  ['corpus.jsonl', FILES['corpus.jsonl'].replace('my', '\\ud800'), /corpus\.jsonl:1: .*no UTF-8/],
  ['queries.jsonl', '{"_id": "q1", "text": " "}', /queries\.jsonl:1: text: expected a text, received " "/],
  ['qrels/test.tsv', '', /qrels\/test\.tsv: the file is empty/],
  ['qrels/test.tsv', HEADER, /qrels\/test\.tsv: no query has a document with a score above 0/],
  ['qrels/test.tsv', `${HEADER}q1\td1\t0\nq2\td2\t-1\n`, /no query has a document with a score above 0/],
  ['qrels/test.tsv', 'q1\td1\t1\n', /qrels\/test\.tsv:1: expected query-id, corpus-id, score with a tab/],
  ['qrels/test.tsv', 'q1 0 d1 1\n', /qrels\/test\.tsv:1: expected query-id/],
  ['qrels/test.tsv', `${HEADER}q1\td1\n`, /qrels\/test\.tsv:2: expected query-id/],
  ['qrels/test.tsv', `${HEADER}q9\td1\t1\n`, /qrels\/test\.tsv:2: query-id: expected an _id of queries\.jsonl, received "q9"/], // prettier-ignore
  ['qrels/test.tsv', `${HEADER}q1\tx\t1\n`, /qrels\/test\.tsv:2: corpus-id: expected an _id of corpus\.jsonl, received "x"/], // prettier-ignore
  ['qrels/test.tsv', `${HEADER}\nq1\td1\t0.5\n`, /qrels\/test\.tsv:3: score: expected a whole number, received "0\.5"/],
  ['qrels/test.tsv', `${HEADER}q1\td1\tmuch\n`, /score: expected a whole number, received "much"/],
  ['qrels/test.tsv', `${HEADER}q1\td1\t1\nq1\td1\t2\n`, /test\.tsv:3: score: expected 1, as in a line before it, received "2"/], // prettier-ignore
])('refuses %s with %j', async (name, content, message) => {
  const file = await writeModel(folder());
  await expect(scoreQueries(file, recipeOf(folder()), writeFiles({ [name]: content }))).rejects.toThrow(message);
});

it('refuses a recipe without texts, and of another task', async () => {
  const file = await writeModel(folder());
  const loaded = recipeOf(folder());
  const dataset = { ...loaded.recipe.dataset, text: undefined };
  const table = { ...loaded, recipe: { ...loaded.recipe, dataset } } as unknown as typeof loaded;
  await expect(scoreQueries(file, table, writeFiles())).rejects.toThrow('its data are no texts');
  const classes = recipeOf(folder(), { task: 'classification', dimensions: undefined, labelled: undefined });
  await expect(scoreQueries(file, classes, writeFiles())).rejects.toThrow('expected a recipe of the task embedding');
});
