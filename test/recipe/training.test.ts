import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { optimizerSchema, trainingKeys } from '../../src/recipe/schema/training.ts';

/** A table of docs/training.md, from the keys that the schema is made of. */
function table(keys: Readonly<Record<string, z.ZodType>>): string {
  const rows = Object.entries(keys).map(([key, schema]) => {
    const usual = schema.safeParse(undefined).data;
    const shown = usual === undefined ? '' : `\`${JSON.stringify(usual)}\``;
    return `| \`${key}\` | ${shown.replaceAll('"', '')} | ${schema.description!} |`;
  });
  return ['| key | default | what it is |', '| --- | --- | --- |', ...rows].join('\n');
}

const others = Object.fromEntries(Object.entries(trainingKeys).filter(([key]) => key !== 'optimizer'));

it.each([
  ['a training', others],
  ['an optimizer', optimizerSchema.shape],
])('docs/training.md has the table of the keys of %s', async (_name, keys) => {
  const text = await readFile(path.resolve(import.meta.dirname, '../../docs/training.md'), 'utf8');
  const compact = text.replaceAll(/ +/g, ' ').replaceAll(/-{3,}/g, '---');
  expect(compact).toContain(table(keys).replaceAll('|  |', '| |'));
});
