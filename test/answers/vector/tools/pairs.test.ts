import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { scorePairs } from '../../../../src/answers/vector/tools/pairs.ts';
import { cosineBy, recipeOf, writeModel } from '../../../support/text-vectors.ts';
import { temporaryFolder } from '../../../support/folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const ROWS: readonly (readonly [string, string, number])[] = [
  ['my card', 'new card', 4.2],
  ['pin', 'lost', 1],
  ['my pin', 'my new pin', 4.9],
  ['card', 'lost my card', 3.5],
  ['new', 'my', 0.3],
  ['lost pin', 'new', 1.7],
];

const jsonLines = (rows: typeof ROWS): string =>
  rows.map(([sentence1, sentence2, score]) => `${JSON.stringify({ sentence1, sentence2, score })}\n`).join('');

/** Spearman's correlation by differences of ranks, which are all different. */
async function expected(file: string): Promise<number> {
  const cosine = cosineBy(file);
  const cosines = await Promise.all(ROWS.map(([first, second]) => cosine(first, second)));
  const rankOf = (values: readonly number[], value: number): number => values.filter((one) => one < value).length;
  const scores = ROWS.map(([, , score]) => score);
  const squares = cosines.reduce((sum, value, i) => sum + (rankOf(cosines, value) - rankOf(scores, scores[i]!)) ** 2, 0); // prettier-ignore
  return 1 - (6 * squares) / (ROWS.length * (ROWS.length ** 2 - 1));
}

it('scores a file on pairs of JSON lines and of CSV, whatever the names of their columns', async () => {
  const file = await writeModel(folder());
  writeFileSync(at('sts.jsonl'), jsonLines(ROWS));
  writeFileSync(at('sts.csv'), `a,b,likeness,more\n${ROWS.map((row) => `${row.join(',')},x\n`).join('')}`);
  const wanted = await expected(file);
  const recipe = recipeOf(folder());
  const found = await scorePairs(file, recipe, at('sts.jsonl'));
  expect(found).toEqual({ file, pairs: ROWS.length, spearman: expect.closeTo(wanted, 12) as number });
  const named = await scorePairs(file, recipe, at('sts.csv'), ['a', 'b', 'likeness']);
  expect(named).toEqual(found);
});

it('brings vectors of both texts to fewer numbers by the same axes', async () => {
  const file = await writeModel(folder());
  writeFileSync(at('same.jsonl'), jsonLines(ROWS));
  writeFileSync(at('turned.jsonl'), jsonLines(ROWS.map(([a, b, score]) => [a, b, -score])));
  const recipe = recipeOf(folder(), { dimensions: 3 });
  const { spearman } = await scorePairs(file, recipe, at('same.jsonl'));
  expect(spearman).toBeGreaterThan(0.5);
  expect((await scorePairs(file, recipe, at('turned.jsonl'))).spearman).toBeCloseTo(-spearman, 12);
});

it.each([
  ['sts.txt', '', /sts\.txt: expected a file of pairs that ends in \.csv, \.tsv, \.jsonl/],
  ['sts.jsonl', '', /sts\.jsonl/],
  ['sts.jsonl', '{"sentence1": "my", "sentence2": "card"}\n', /score/],
  ['sts.jsonl', '{"sentence1": "my", "score": 1}\n', /sentence2/],
  ['sts.jsonl', '{"sentence1": "my", "sentence2": "card", "score": "high"}\n', /sts\.jsonl:1: the label is "high"/],
  ['sts.jsonl', '{"sentence1": "my", "sentence2": "", "score": 1}\n', /sts\.jsonl:1.*the text is empty/],
  ['sts.jsonl', '{"sentence1": "my", "sentence2": 5, "score": 1}\n', /sts\.jsonl:1.*expected a text, received 5/],
  ['sts.jsonl', '{"sentence1": "my", "sentence2": "card", "score": 1', /sts\.jsonl:1: not valid JSON/],
  ['sts.jsonl', jsonLines(ROWS.slice(0, 2)), /sts\.jsonl: 2 pairs for validation, expected 3 or more/],
  ['sts.jsonl', jsonLines(ROWS.map(([a, b]) => [a, b, 2])), /all 6 pairs for validation have the similarity 2/],
  ['sts.jsonl', jsonLines(ROWS.map(([, , score]) => ['§', '¶', score])), /all 6 pairs have the same cosine by/],
  ['sts.csv', 'sentence1,sentence2\nmy,card\n', /score/],
  ['missing.jsonl', undefined, /missing\.jsonl/],
])('refuses %s with %j', async (name, content, message) => {
  const file = await writeModel(folder());
  if (content !== undefined) writeFileSync(at(name), content);
  await expect(scorePairs(file, recipeOf(folder()), at(name))).rejects.toThrow(message);
});
