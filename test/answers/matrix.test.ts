// Needs the features boxes, labels, mask, next-token, numbers, points, tags, vector, android, ios, react-native, node and browser.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format } from 'prettier';
import { Slot } from '../../src/base/registry.ts';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { DRIFT } from '../../src/observers/drift/watch.ts';
import { loadKitList } from '../../src/ship/kit/lists.ts';
import { KIT_SAMPLE, platforms } from '../../src/ship/kit/platforms.ts';
import type { FormTasks } from '../../src/consumers/mediapipe/folder.ts';
import type { PipelineForm } from '../../src/consumers/transformers/config.ts';
import { ROOT } from '../support/built.ts';

const FILE = path.join(ROOT, 'docs/tasks.md');
const HEAD = '## What goes with what\n';

const mediapipe = new Slot<FormTasks>(answerForms, 'mediapipe', 'task of MediaPipe');
const transformers = new Slot<PipelineForm>(answerForms, 'transformers', 'pipeline');

interface Opened {
  readonly texts?: string;
  readonly pictures?: string;
}

/** Names of what opens files about texts and about pictures. */
function openedBy({ texts, pictures }: Opened = {}): string {
  const names = [texts, pictures].filter((name) => name !== undefined);
  return names.length === 0 ? '—' : names.join(', ');
}

interface Sources {
  readonly name?: string;
  readonly texts?: { readonly NAME: string };
  readonly pictures?: { readonly NAME: string };
}

/** Samples of a form in kits, a cell for each platform: a program or classes by their names, or `yes`. */
async function samplesOf(form: string): Promise<string[]> {
  const cells: string[] = [];
  for (const platform of platforms.names()) {
    const { sources } = await KIT_SAMPLE.load(platform);
    const found = (await sources.loadIfThere(form)) as Sources | undefined;
    const { name, texts, pictures } = found ?? {};
    const names = [name && `\`${name}.mjs\``, ...[texts, pictures].map((own) => own && `\`${own.NAME}\``)];
    const text = names.filter((one) => one !== undefined).join(', ');
    cells.push(found === undefined ? '—' : text || 'yes');
  }
  return cells;
}

async function rowOf(form: string): Promise<string> {
  const row = answerForms.get(form);
  const outputs = Object.values(row.tasks).flatMap((task) => task.outputs ?? []);
  const cells = [
    form,
    Object.keys(row.tasks).join(', '),
    ...(await samplesOf(form)),
    openedBy(await mediapipe.loadIfThere(form)),
    openedBy(await transformers.loadIfThere(form)),
    [...new Set(outputs)].join(', ') || '—',
    DRIFT.has(form) ? 'yes' : '—',
  ];
  return `| ${cells.join(' | ')} |`;
}

it('docs/tasks.md has the table of forms of answers and what takes them, as the features have it (UPDATE_DOCS=1 writes it anew)', async () => {
  await loadKitList();
  const rows: string[] = [];
  for (const form of answerForms.names()) rows.push(await rowOf(form));
  const table = await format(
    [
      `| answers | tasks | ${platforms.names().join(' | ')} | MediaPipe | transformers.js | \`outputs\` | drift |`,
      `| --- | --- |${' --- |'.repeat(platforms.names().length + 4)}`,
      ...rows,
    ].join('\n'),
    { parser: 'markdown', printWidth: 130 },
  );
  const text = readFileSync(FILE, 'utf8');
  const from = text.indexOf('| answers ', text.indexOf(HEAD));
  const to = text.indexOf('\n\n', from) + 1;
  expect(from).toBeGreaterThan(text.indexOf(HEAD));
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(FILE, text.slice(0, from) + table + text.slice(to));
  else expect(text.slice(from, to)).toBe(table);
});
