import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Slot } from '../../src/base/registry.ts';
import { answerForms } from '../../src/recipe/answer-forms.ts';
import { loadKitList } from '../../src/ship/kit/lists.ts';
import { phoneSamples } from '../support/phones.ts';
import { runPython } from './python.ts';

interface Checked {
  readonly name: string;
  readonly problems: readonly string[];
  readonly parts: number;
}

/** Parses sources in Kotlin and Swift, by the names of their files. */
function checked(sources: Readonly<Record<string, string>>): readonly Checked[] {
  const at = mkdtempSync(path.join(tmpdir(), 'phones-'));
  try {
    for (const [name, text] of Object.entries(sources)) writeFileSync(path.join(at, name), text);
    return runPython('phones_syntax.py', at) as Checked[];
  } finally {
    rmSync(at, { recursive: true });
  }
}

const OF_TEXTS: (readonly [string, Readonly<Record<string, string>>])[] = [];
await loadKitList();
for (const form of new Slot(answerForms, 'kit', 'kit').names()) OF_TEXTS.push([form, await phoneSamples(form, true)]);

/** All sources of samples for phones. */
const SOURCES = Object.fromEntries(
  Object.entries({
    pictures: await phoneSamples(),
    values: await phoneSamples('numbers'),
    masks: await phoneSamples('mask'),
    boxes: await phoneSamples('boxes'),
    points: await phoneSamples('points'),
    vectors: await phoneSamples('vector'),
    ...Object.fromEntries(OF_TEXTS),
  }).flatMap(([kind, samples]) =>
    Object.entries(samples)
      .filter(([name]) => /\.(?:kts?|swift)$/.test(name))
      .map(([name, text]) => [`${kind}-${name.replace('/', '-')}`, text]),
  ),
);

it('the samples in Kotlin and Swift are what the grammars of these languages allow', () => {
  const found = checked(SOURCES);
  expect(found.map(({ name, problems }) => [name, problems])).toEqual(found.map(({ name }) => [name, []]));
  expect(found.map(({ name }) => name)).toEqual(Object.keys(SOURCES).sort());
  for (const { name, parts } of found) expect([name, parts > 1]).toEqual([name, true]);
});

it('a brace, a bracket or a word too few is seen in each of them', () => {
  const broken = Object.fromEntries(
    Object.entries(SOURCES).flatMap(([name, text]) =>
      [text.replace(/\{/, ''), text.replace(/\)[^)]*$/, '')].map((one, i) => [`${i}-${name}`, one]),
    ),
  );
  const found = checked(broken);
  expect(found.filter(({ problems }) => problems.length === 0).map(({ name }) => name)).toEqual([]);
});
