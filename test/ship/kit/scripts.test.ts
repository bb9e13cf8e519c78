import { answerForms } from '../../../src/recipe/answer-forms.ts';
import { loadKit } from '../../../src/ship/kit/forms.ts';
import js from '@eslint/js';
import { Linter } from 'eslint';
import { browserSample } from '../../../src/ship/kit/browser.ts';
import type { PageInput } from '../../../src/ship/kit/forms.ts';
import { nodeSample } from '../../../src/ship/kit/node.ts';
import { phoneSamples, textPhoneSamples } from '../../../src/ship/kit/phone.ts';

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

const INPUTS: readonly PageInput[] = ['numbers', 'columns', 'arrays', 'text', 'tags', 'sound', 'mask', 'boxes'];

it.each(INPUTS)(
  'the pages for %s use no name that none of their scripts has, and have none that is not used',
  async (input) => {
    const files = await browserSample(new Set(['onnx', 'tflite']), input);
    expect(problemsOf(files)).toEqual([]);
    const hasOwn = ['tags', 'mask', 'boxes'].includes(input);
    for (const answers of ['values', ...(hasOwn ? [] : (['vector'] as const))] as const)
      expect(problemsOf(await browserSample(new Set(['onnx', 'tflite']), input, answers))).toEqual([]);
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
])('so does the program for Node: %s, %s', async (form, kind) => {
  expect(problemsOf(await nodeSample(form, kind))).toEqual([]);
  if (kind === 'numbers') expect(problemsOf(await nodeSample(form, kind, { file: 'sound' }))).toEqual([]);
});

it('no file of a kit has a mark that is not filled in', async () => {
  const samples = [
    ...(await Promise.all(INPUTS.map((input) => browserSample(new Set(['onnx', 'tflite']), input)))),
    ...[await nodeSample('classes', 'columns'), await nodeSample('tags', 'tags'), await nodeSample('mask', 'numbers')],
    ...[await nodeSample('boxes', 'numbers', { isOneOutput: false })],
    ...[
      await phoneSamples(),
      await phoneSamples('numbers'),
      await phoneSamples('mask'),
      await phoneSamples('boxes'),
      await phoneSamples('vector'),
    ],
  ];
  for (const form of answerForms.names())
    if ((await loadKit(form)).texts !== undefined) samples.push(await textPhoneSamples(form));
  for (const [name, text] of samples.flatMap((files) => Object.entries(files)))
    expect([name, /__[A-Z]|== [A-Z]+ ==/.exec(text)]).toEqual([name, null]);
});

it('a module of ours in a kit exports what the program beside it imports', async () => {
  const programs = [
    await nodeSample('boxes', 'numbers', { isOneOutput: false, file: 'picture' }),
    await nodeSample('mask', 'numbers', { file: 'picture' }),
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
