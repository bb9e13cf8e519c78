import { dataModule } from './portable.ts';
import { sampleFile, sampleParts, sharedScripts } from './samples.ts';

/** Data that a page takes besides the examples; `arrays`: one for each of several inputs; `tags`: texts whose words the model tags. */
export type Chosen = 'numbers' | 'arrays' | 'text' | 'tags' | 'sound';

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
  chosen: Chosen,
): Promise<Readonly<Record<string, string>>> {
  const pages: Record<string, string> = {};
  for (const [format, { name, title, imports }] of Object.entries(PAGES)) {
    if (!formats.has(format)) continue;
    pages[`${name}.html`] = sampleFile('browser/page.html', {
      ...{ TITLE: title, IMPORTS: JSON.stringify({ imports }), SCRIPT: `./${name}.js` },
      FIELD: sampleParts('browser/fields.html')[chosen.toUpperCase()],
    });
    pages[`${name}.js`] = sampleFile(`browser/${name}.js`);
  }
  const plain = [
    'package.json',
    'serve.mjs',
    'index.html',
    'index.js',
    ...(chosen === 'sound' ? ['microphone.js'] : []),
  ];
  const parts = sampleParts(...(chosen === 'tags' ? [] : ['browser/classes.js']), `browser/${chosen}.js`);
  return {
    ...Object.fromEntries(plain.map((name) => [name, sampleFile(`browser/${name}`)])),
    'kit.js': sampleFile('browser/kit.js', { ...sharedScripts(), ...parts, LABELS: 'labels' }),
    ...(chosen !== 'text' && chosen !== 'tags' && { 'normalized.js': await dataModule('normalized') }),
    ...(chosen === 'sound' && { 'polyphase.js': await dataModule('sounds/polyphase') }),
    ...(chosen === 'numbers' && { 'resize.js': await dataModule('pictures/resize') }),
    ...pages,
  };
}
