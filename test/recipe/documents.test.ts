import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { models } from '../../src/networks/models/registry.ts';
import { completeRecipe } from '../../src/recipe/load.ts';
import { recipeJsonSchema } from '../../src/recipe/schema.ts';
import { ROOT } from '../support/built.ts';

type Mapping = Readonly<Record<string, unknown>>;

const DOCUMENTS = [
  'README.md',
  ...(readdirSync(path.join(ROOT, 'docs'), { recursive: true }) as string[]).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md'));
const KEYS = new Set(Object.keys(recipeJsonSchema()['properties'] as object));

/** The samples of recipes, whole ones and parts: those whose keys are all keys of a recipe. */
const samples = DOCUMENTS.flatMap((name) => {
  const text = readFileSync(path.join(ROOT, name), 'utf8');
  return [...text.matchAll(/```yaml\n([^]*?)```/g)].flatMap(([, block], i) => {
    const data = parse(block!) as Mapping;
    // A sample that shows how a wrong recipe is refused says so in its name; the test of the cookbook runs it.
    const isWrong = block!.startsWith('# wrong.yaml\n');
    const isRecipe = Object.keys(data).some((key) => KEYS.has(key)) && !('apiVersion' in data) && !isWrong;
    return isRecipe ? [[`${name}, sample ${i + 1}`, data] as const] : [];
  });
});

/** What a part of a recipe stands beside: data of its kind, a teacher and a student. */
function completed({ dataset, ...rest }: Mapping): Mapping {
  const given = (dataset ?? {}) as Mapping;
  const type = (given['features'] === undefined ? 'csv' : 'audio-folder') as string;
  const isText = (rest['teacher'] as Mapping | undefined)?.['text'] !== undefined;
  const data = { type, train: 'train', ...(isText && { text: { column: 'text' } }), ...given };
  const hasPeer = (rest['distill'] as Mapping | undefined)?.['loss'] === 'mutual';
  return { name: 'r', student: { model: 'mlp' }, ...(!hasPeer && { teacher: { onnx: 't.onnx' } }), ...rest, dataset: data };
} // prettier-ignore

it('the documents have samples', () => {
  expect(samples.length).toBeGreaterThanOrEqual(35);
});

it.each(samples)('%s has keys and values that a recipe may have', (_name, data) => {
  expect(() => completeRecipe(completed(data), ROOT, models)).not.toThrow();
});

it('every part of a recipe has a word in the documents', () => {
  const all = DOCUMENTS.map((name) => readFileSync(path.join(ROOT, name), 'utf8')).join('\n');
  const silent = [...KEYS].filter((key) => !new RegExp(`\\b${key}\\b`).test(all));
  expect(silent).toEqual([]);
});
