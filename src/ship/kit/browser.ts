import path from 'node:path';
import type { SampleKind } from './forms.ts';
import { dataModule } from './portable.ts';
import type { DataModule } from './portable.ts';
import { sampleFile, sampleParts, sharedScripts } from './samples.ts';

/** Data that a page takes besides the examples, as `SampleKind`, or sounds. */
export type PageInput = Exclude<SampleKind, 'words'> | 'sound';

/** Files of samples/ that a page is made of, and our modules that it imports. `tags.js` shows tags, the others show classes. */
const INPUTS: Readonly<
  Record<PageInput, { readonly parts: readonly string[]; readonly modules: readonly DataModule[] }>
> = {
  numbers: { parts: ['classes', 'numbers'], modules: ['normalized', 'pictures/resize'] },
  arrays: { parts: ['classes', 'arrays'], modules: ['normalized'] },
  text: { parts: ['classes', 'text'], modules: [] },
  tags: { parts: ['tags'], modules: [] },
  sound: { parts: ['classes', 'sound'], modules: ['normalized', 'sounds/polyphase'] },
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
 * Pages that classify the examples of a kit in a browser, and pictures that are chosen there, texts that are written, or what a microphone
 * hears.
 */
export async function browserSample(
  formats: ReadonlySet<string>,
  input: PageInput,
): Promise<Readonly<Record<string, string>>> {
  const pages: Record<string, string> = {};
  for (const [format, { name, title, imports }] of Object.entries(PAGES)) {
    if (!formats.has(format)) continue;
    pages[`${name}.html`] = sampleFile('browser/page.html', {
      ...{ TITLE: title, IMPORTS: JSON.stringify({ imports }), SCRIPT: `./${name}.js` },
      FIELD: sampleParts('browser/fields.html')[input.toUpperCase()],
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
  const marks = { ...sharedScripts(), ...sampleParts(...parts.map((name) => `browser/${name}.js`)), LABELS: 'labels' };
  const imported = modules.map(async (name) => [`${path.posix.basename(name)}.js`, await dataModule(name)] as const);
  return {
    ...Object.fromEntries(plain.map((name) => [name, sampleFile(`browser/${name}`)])),
    'kit.js': sampleFile('browser/kit.js', marks),
    ...Object.fromEntries(await Promise.all(imported)),
    ...pages,
  };
}
