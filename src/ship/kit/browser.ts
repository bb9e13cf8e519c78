import type { PageAnswers, PageInput } from './forms.ts';
import { sharedModules } from './portable.ts';
import type { SharedModule } from './portable.ts';
import { sampleFile, sampleParts, sharedScripts } from './samples.ts';

const ANSWERS = 'answers';

/** Key of the expected answer in example.json. */
const KNOWN: Readonly<Record<PageAnswers, string>> = { classes: 'label', values: 'targets', vector: 'values' };

/** Files of samples/ that a page is made of, and our modules that it imports. `tags.js` shows tags, `mask.js` masks, `boxes.js` boxes; ANSWERS stands for the file that shows classes or values. */
const INPUTS: Readonly<
  Record<PageInput, { readonly parts: readonly string[]; readonly modules: readonly SharedModule[] }>
> = {
  numbers: { parts: [ANSWERS, 'numbers'], modules: ['normalized', 'resize'] },
  mask: { parts: ['numbers', 'mask'], modules: ['normalized', 'resize', 'masks', 'mask-colours'] },
  boxes: {
    parts: ['numbers', 'mask', 'boxes'],
    modules: ['normalized', 'resize', 'letterbox', 'suppression', 'mask-colours'],
  },
  columns: { parts: [ANSWERS, 'columns'], modules: ['normalized', 'dates'] },
  arrays: { parts: [ANSWERS, 'arrays'], modules: ['normalized'] },
  text: { parts: [ANSWERS, 'text'], modules: [] },
  tags: { parts: ['tags'], modules: [] },
  sound: { parts: [ANSWERS, 'sound'], modules: ['normalized', 'polyphase'] },
};

/** Pages by format: their runtime, and where its modules lie after `npm install`. */
const PAGES = {
  tflite: {
    ...{ name: 'litert', title: 'LiteRT.js' },
    imports: {
      '@litertjs/core': './node_modules/@litertjs/core/dist/index.js',
      '@litertjs/wasm-utils': './node_modules/@litertjs/wasm-utils/dist/index.js',
    },
  },
  onnx: {
    ...{ name: 'onnxruntime', title: 'ONNX Runtime Web' },
    imports: { 'onnxruntime-web/wasm': './node_modules/onnxruntime-web/dist/ort.wasm.min.mjs' },
  },
} as const;

/**
 * Pages that ask a model about the examples of a kit in a browser, and pictures that are chosen there, texts and rows that are written, or what a
 * microphone hears.
 */
export async function browserSample(
  formats: ReadonlySet<string>,
  input: PageInput,
  answers: PageAnswers = 'classes',
): Promise<Readonly<Record<string, string>>> {
  const pages: Record<string, string> = {};
  const fields = sampleParts('browser/fields.html');
  for (const [format, { name, title, imports }] of Object.entries(PAGES)) {
    if (!formats.has(format)) continue;
    pages[`${name}.html`] = sampleFile('browser/page.html', {
      ...{ TITLE: title, IMPORTS: JSON.stringify({ imports }), SCRIPT: `./${name}.js` },
      FIELD: fields[(input === 'boxes' ? 'mask' : input).toUpperCase()],
      ...(answers === 'vector' && { SEARCH: fields['SEARCH'] }),
      ...(input === 'numbers' && { FOLDER: fields['FOLDER'] }),
    });
    pages[`${name}.js`] = sampleFile(`browser/${name}.js`);
  }
  const plain = [
    'package.json',
    'serve.mjs',
    'index.html',
    'index.js',
    ...(input === 'sound' ? ['microphone.js'] : []),
  ];
  const { parts, modules } = INPUTS[input];
  const marks = {
    ...sharedScripts(),
    ...(answers === 'vector' ? {} : sampleParts('browser/labels.js')),
    ...sampleParts(...parts.map((name) => `browser/${name === ANSWERS ? answers : name}.js`)),
    ...(answers !== 'vector' && { FOLDER: undefined }),
    LABELS: 'labels',
    KNOWN: KNOWN[answers],
  };
  return {
    ...Object.fromEntries(plain.map((name) => [name, sampleFile(`browser/${name}`)])),
    'kit.js': sampleFile('browser/kit.js', marks),
    ...(await sharedModules(modules)),
    ...pages,
  };
}
