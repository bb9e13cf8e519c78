import path from 'node:path';
import { Slot } from '../../base/registry.ts';
import { answerForms } from '../../recipe/answer-forms.ts';
import { loadKit } from '../../ship/kit/forms.ts';
import type { SampleKind } from '../../ship/kit/forms.ts';
import { sharedModules } from '../../ship/kit/portable.ts';
import type { SharedModule } from '../../ship/kit/portable.ts';
import { sampleFile, sampleParts, sampleTexts, sharedScripts } from '../../ship/kit/samples.ts';

/** Pages for answers of a form. */
export interface BrowserPages {
  /** File with the parts of their script that show the answers. */
  readonly parts: string;
  /** Scripts for marks of the parts. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Our modules that they import beside those for their samples. */
  readonly modules?: readonly (SharedModule | URL)[];
  /** Key of the expected answer in example.json; default: `label`. */
  readonly KNOWN?: string;
  /** True if the page draws answers over pictures, those of the camera included. */
  readonly isDrawn?: boolean;
}

export const BROWSER = new Slot<BrowserPages>(answerForms, 'browser', 'sample for browsers');

/** Samples that a page takes besides the examples: `camera` for pictures over which answers are drawn. */
type PageInput = SampleKind | 'sound' | 'camera';

/** Files of samples/ that a page is made of, and our modules that it imports. Parts of pages for tags, which read words, are all of their form. */
const INPUTS: Readonly<
  Record<PageInput, { readonly parts: readonly string[]; readonly modules: readonly SharedModule[] }>
> = {
  numbers: { parts: ['numbers'], modules: ['normalized', 'fitted'] },
  camera: { parts: ['numbers', 'pictures'], modules: ['normalized', 'fitted', 'camera'] },
  columns: { parts: ['columns'], modules: ['normalized', 'dates'] },
  arrays: { parts: ['arrays'], modules: ['normalized'] },
  text: { parts: ['text'], modules: [] },
  tags: { parts: [], modules: [] },
  sound: { parts: ['sound'], modules: ['normalized', 'polyphase'] },
};

/** Pages by format: their runtime, and where its modules lie after `npm install`. */
const PAGES = {
  tflite: {
    name: 'litert',
    title: 'LiteRT.js',
    imports: {
      '@litertjs/core': './node_modules/@litertjs/core/dist/index.js',
      '@litertjs/wasm-utils': './node_modules/@litertjs/wasm-utils/dist/index.js',
    },
  },
  onnx: {
    name: 'onnxruntime',
    title: 'ONNX Runtime Web',
    imports: { 'onnxruntime-web/wasm': './node_modules/onnxruntime-web/dist/ort.wasm.min.mjs' },
  },
} as const;

const at = (name: string): string => path.join(import.meta.dirname, 'samples', name);

/**
 * Pages that ask a model about the examples of a kit in a browser, and pictures that are chosen there, texts and rows that are written, or what a
 * microphone hears.
 */
export async function browserSample(
  form: string,
  formats: ReadonlySet<string>,
  kind: SampleKind | 'sound',
): Promise<Readonly<Record<string, string>>> {
  const { hasNames = true } = await loadKit(form);
  const { parts: own, scripts = {}, modules: ownModules = [], KNOWN = 'label', isDrawn } = await BROWSER.load(form);
  const input = isDrawn === true ? 'camera' : kind;
  const pages: Record<string, string> = {};
  const fields = sampleParts(at('fields.html'));
  for (const [format, { name, title, imports }] of Object.entries(PAGES)) {
    if (!formats.has(format)) continue;
    pages[`${name}.html`] = sampleFile(at('page.html'), {
      TITLE: title,
      IMPORTS: JSON.stringify({ imports }),
      SCRIPT: `./${name}.js`,
      FIELD: fields[input.toUpperCase()],
      // Answers without names are vectors, and searched among others.
      ...(!hasNames && { SEARCH: fields['SEARCH'] }),
      ...(input === 'numbers' && { FOLDER: fields['FOLDER'] }),
    });
    pages[`${name}.js`] = sampleFile(at(`${name}.js`));
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
    ...sampleTexts(scripts),
    ...(hasNames && sampleParts(at('labels.js'))),
    ...sampleParts(...parts.map((name) => at(`${name}.js`)), own),
    ...(hasNames && { FOLDER: undefined }),
    LABELS: 'labels',
    KNOWN,
  };
  return {
    ...Object.fromEntries(plain.map((name) => [name, sampleFile(at(name))])),
    'kit.js': sampleFile(at('kit.js'), marks),
    ...(await sharedModules([...modules, ...ownModules])),
    ...pages,
  };
}
