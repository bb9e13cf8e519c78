import js from '@eslint/js';
import { Linter } from 'eslint';
import { browserSample } from '../../../src/ship/kit/browser.ts';
import type { Chosen } from '../../../src/ship/kit/browser.ts';
import { nodeSample } from '../../../src/ship/kit/node.ts';
import { phoneSamples, textPhoneSamples } from '../../../src/ship/kit/phone.ts';

const linter = new Linter();

/** Globals of Node, and of browsers, that the scripts of kits use. */
const GLOBALS = [
  ...['URL', 'console', 'process'],
  ...['addEventListener', 'createImageBitmap', 'document', 'fetch', 'location', 'navigator'],
  ...['AudioContext', 'AudioWorkletNode', 'AudioWorkletProcessor', 'OfflineAudioContext', 'OffscreenCanvas'],
  'registerProcessor',
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

const CHOSEN: readonly Chosen[] = ['numbers', 'arrays', 'text', 'tags', 'sound'];

it.each(CHOSEN)(
  'the pages for %s use no name that none of their scripts has, and have none that is not used',
  async (chosen) => {
    const files = await browserSample(new Set(['onnx', 'tflite']), chosen);
    expect(problemsOf(files)).toEqual([]);
    expect(problemsOf({ 'a.js': `${files['kit.js']!}unknown(1);` })).toHaveLength(1);
  },
);

it.each([
  ...(['numbers', 'arrays', 'words', 'text'] as const).flatMap((kind) => [
    ['classify', kind] as const,
    ['predict', kind] as const,
  ]),
  ['tag', 'tags'] as const,
])('so does the program for Node: %s, %s', async (program, kind) => {
  expect(problemsOf(await nodeSample(program, kind))).toEqual([]);
});

it('no file of a kit has a mark that is not filled in', async () => {
  const samples = [
    ...(await Promise.all(CHOSEN.map((chosen) => browserSample(new Set(['onnx', 'tflite']), chosen)))),
    ...[await nodeSample('classify', 'words'), await nodeSample('tag', 'tags'), await phoneSamples()],
    ...(['classes', 'values', 'tags'] as const).map(textPhoneSamples),
  ];
  for (const [name, text] of samples.flatMap((files) => Object.entries(files)))
    expect([name, /__[A-Z]|== [A-Z]+ ==/.exec(text)]).toEqual([name, null]);
});
