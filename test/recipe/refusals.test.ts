import { readFileSync } from 'node:fs';
import path from 'node:path';
import { models } from '../../src/networks/models/registry.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { userError } from '../data/support.ts';

/** Recipes that are refused, drawn by lot among thousands that each change a right recipe by a key or two; of each message one at most. */
const DRAWN = readFileSync(path.join(import.meta.dirname, 'refusals.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { readonly recipe: unknown; readonly said: string; readonly hint: string });

it('refusals are drawn from all parts of a recipe', () => {
  expect(DRAWN.length).toBeGreaterThanOrEqual(100);
});

it.each(DRAWN)('$said', async ({ recipe, said, hint }) => {
  const error = await userError(() => parseRecipe(JSON.stringify(recipe), 'r.yaml', { models }));
  expect({ said: error.message, hint: error.hint }).toEqual({ said: `r.yaml:${said}`, hint });
});
