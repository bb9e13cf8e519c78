// Needs the features boxes, mask, numbers, points, tags and vector.
import { Slot } from '../../../src/base/registry.ts';
import { answerForms } from '../../../src/recipe/answer-forms.ts';
import { loadKitList } from '../../../src/ship/kit/lists.ts';
import js from '@eslint/js';
import { Linter } from 'eslint';
import { browserSample } from '../../../src/consumers/browser/page.ts';
import { nodeSample } from '../../../src/consumers/node/program.ts';
import { phoneSamples } from '../../support/phones.ts';

const linter = new Linter();

/** Globals of Node, and of browsers, that the scripts of kits use. */
const GLOBALS = [
  ...['Buffer', 'URL', 'console', 'process', 'setTimeout'],
  ...['addEventListener', 'createImageBitmap', 'document', 'fetch', 'location', 'navigator'],
  ...['AudioContext', 'AudioWorkletNode', 'AudioWorkletProcessor', 'OfflineAudioContext', 'OffscreenCanvas'],
  'registerProcessor',
  ...['FormData', 'Option'],
];

/** Programs for texts read these from preprocessing.json and do not need them. */
const UNUSED: Linter.RulesRecord = { 'no-unused-vars': ['error', { varsIgnorePattern: '^(input|normalization)$' }] };

/** Problems of the scripts among files, by their names. */
function problemsOf(files: Readonly<Record<string, string>>): string[] {
  const globals = Object.fromEntries(GLOBALS.map((name) => [name, 'readonly'] as const));
  return Object.entries(files)
    .filter(([name]) => /\.m?js$/.test(name))
    .flatMap(([name, text]) =>
      linter
        .verify(
          text,
          [js.configs.recommended, { languageOptions: { globals }, rules: UNUSED }],
          name.replace(/\.mjs$/, '.js'),
        )
        .map(({ line, message }) => `${name}:${line}: ${message}`),
    );
}

/** Answers of pages, with the samples that these take. */
const PAGES = [
  ...['classes', 'numbers', 'vector'].flatMap((form) =>
    (['numbers', 'columns', 'arrays', 'text', 'sound'] as const).map((kind) => [form, kind] as const),
  ),
  ['tags', 'tags'] as const,
  ['mask', 'numbers'] as const,
  ['boxes', 'numbers'] as const,
  ['points', 'numbers'] as const,
];
const BOTH = new Set(['onnx', 'tflite']);

it.each(PAGES)(
  'the pages for %s of %s use no name that none of their scripts has, and have none that is not used',
  async (form, kind) => {
    const files = await browserSample(form, BOTH, kind);
    expect(problemsOf(files)).toEqual([]);
    expect(problemsOf({ 'a.js': `${files['kit.js']!}unknown(1);` })).toHaveLength(1);
  },
);

it.each([
  ...(['numbers', 'arrays', 'columns', 'text'] as const).flatMap((kind) => [
    ['classes', kind] as const,
    ['numbers', kind] as const,
  ]),
  ['tags', 'tags'] as const,
  ['mask', 'numbers'] as const,
  ['boxes', 'numbers'] as const,
  ['points', 'numbers'] as const,
])('so does the program for Node: %s, %s', async (form, kind) => {
  expect(problemsOf(await nodeSample(form, kind))).toEqual([]);
  if (kind === 'numbers') expect(problemsOf(await nodeSample(form, kind, { file: 'sound' }))).toEqual([]);
});

it('no file of a kit has a mark that is not filled in', async () => {
  const samples = [
    ...(await Promise.all(PAGES.map(([form, kind]) => browserSample(form, BOTH, kind)))),
    ...[await nodeSample('classes', 'columns'), await nodeSample('tags', 'tags'), await nodeSample('mask', 'numbers')],
    ...[await nodeSample('boxes', 'numbers', { isOneOutput: false }), await nodeSample('points', 'numbers')],
  ];
  await loadKitList();
  for (const form of new Slot(answerForms, 'kit', 'kit').names())
    for (const isText of [false, true]) samples.push(await phoneSamples(form, isText));
  for (const [name, text] of samples.flatMap((files) => Object.entries(files)))
    expect([name, /__[A-Z]|== [A-Z]+ ==/.exec(text)]).toEqual([name, null]);
});

it('a module of ours in a kit exports what the program beside it imports', async () => {
  const programs = [
    await nodeSample('boxes', 'numbers', { isOneOutput: false, file: 'picture' }),
    await nodeSample('mask', 'numbers', { file: 'picture' }),
    await nodeSample('points', 'numbers', { file: 'picture' }),
    await nodeSample('classes', 'numbers', { file: 'sound' }),
  ];
  for (const files of programs) {
    const scripts = Object.entries(files).filter(([name]) => name.endsWith('.mjs'));
    const imported = scripts.flatMap(([, text]) => [...text.matchAll(/import \{([^}]+)\} from '\.\/([\w-]+\.js)'/g)]);
    expect(imported.length).toBeGreaterThan(0);
    for (const [, names, module] of imported)
      for (const name of names!.split(',').map((one) => one.trim()))
        expect([
          module,
          name,
          new RegExp(`export (?:async )?(?:function|const|class) ${name}\\b`).test(files[module!] ?? ''),
        ]).toEqual([module, name, true]);
  }
});
