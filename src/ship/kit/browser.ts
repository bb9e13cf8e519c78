import { JS_FEEDS, JS_JOINED, JS_PREPARE } from './feeds.ts';
import { MICROPHONE, SOUND_CHOOSE, SOUND_FIELD, SOUND_REST } from './microphone.ts';
import { INDEX, LINKS, page } from './pages.ts';
import { dataModule } from './portable.ts';
import { PAGE_CHOOSE, PAGE_FIELD, PAGE_SHOW, PAGE_WORDS, WORD_IMPORT } from './tags.ts';
import { JS_TEXT } from './text.ts';

/** Data that a page takes besides the examples; `arrays`: one for each of several inputs; `tags`: texts whose words the model tags. */
export type Chosen = 'numbers' | 'arrays' | 'text' | 'tags' | 'sound';

/**
 * Pages that classify the examples of a kit in a browser, and pictures that are chosen there, texts that are written, or what a microphone
 * hears.
 */
export async function browserSample(
  formats: ReadonlySet<string>,
  chosen: Chosen,
): Promise<Readonly<Record<string, string>>> {
  const pages: Record<string, string> = {};
  if (formats.has('tflite')) {
    const imports = {
      '@litertjs/core': './node_modules/@litertjs/core/dist/index.js',
      '@litertjs/wasm-utils': './node_modules/@litertjs/wasm-utils/dist/index.js',
    };
    pages['litert.html'] = page('LiteRT.js', imports, './litert.js', SCRIPTS[chosen].field);
    pages['litert.js'] = LITERT;
  }
  if (formats.has('onnx')) {
    const imports = { 'onnxruntime-web/wasm': './node_modules/onnxruntime-web/dist/ort.wasm.min.mjs' };
    pages['onnxruntime.html'] = page('ONNX Runtime Web', imports, './onnxruntime.js', SCRIPTS[chosen].field);
    pages['onnxruntime.js'] = ONNXRUNTIME;
  }
  const links = { 'index.html': INDEX, 'index.js': LINKS };
  return {
    'package.json': PACKAGE,
    'serve.mjs': SERVE,
    'kit.js': kitScript(SCRIPTS[chosen]),
    ...(chosen === 'sound' && { 'microphone.js': MICROPHONE, 'polyphase.js': await dataModule('sounds/polyphase') }),
    ...(chosen === 'numbers' && { 'resize.js': await dataModule('pictures/resize') }),
    ...links,
    ...pages,
  };
}

const PACKAGE = `{
  "name": "classify-in-a-browser",
  "private": true,
  "type": "module",
  "scripts": { "start": "node serve.mjs" },
  "dependencies": { "@litertjs/core": "^2.5.3", "onnxruntime-web": "^1.20.0" }
}
`;

/** A server of files; any other will do. */
const SERVE = `// Serves this kit:  npm install && node serve.mjs [port]
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const types = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.txt': 'text/plain; charset=utf-8',
};
/** Undefined for what is no address of a file here. */
function fileOf(url) {
  try {
    const pathname = decodeURIComponent(new URL(url, 'http://localhost').pathname);
    const file = path.join(root, pathname.endsWith('/') ? pathname + 'index.html' : pathname);
    return file.startsWith(root) ? file : undefined;
  } catch {
    return undefined;
  }
}

const server = createServer(async (request, response) => {
  const file = fileOf(request.url);
  const content = file === undefined ? undefined : await readFile(file).catch(() => undefined);
  response.writeHead(content === undefined ? 404 : 200, {
    'Content-Type': types[path.extname(file ?? '')] ?? 'application/octet-stream',
  });
  response.end(content);
});
server.listen(Number(process.argv[2] ?? 8080), '127.0.0.1', () => {
  console.log('http://127.0.0.1:' + server.address().port + '/samples/browser/');
});
`;

/** Functions of the pages of models of classes. */
const SHARES = `function probabilities(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

`;

const SHOW = `  const bestOf = (logits) => logits.indexOf(Math.max(...logits));
  const said = (logits) => labels[bestOf(logits)] + ' ' + (100 * Math.max(...probabilities(logits))).toFixed(1) + ' %';
  const show = async (raw, expected) => {
    const logits = await classify(raw);
    const item = document.createElement('li');
    item.textContent = said(logits) + (expected ? ', expected ' + expected : '');
    list.append(item);
    return { label: labels[bestOf(logits)], logits: Array.from(logits) };
  };
`;

const NUMBERS = {
  field: '<input type="file" accept="image/*" hidden />',
  imports: "import { LANCZOS, resized } from './resize.js';\n",
  prepare: JS_PREPARE,
  rest: `${SHARES}/**
 * A picture at the model's size, scaled as those that it learnt from: values from 0 to 255, grey as the mean of red, green and blue by their brightness.
 * What a browser draws smaller is made of few of its pixels.
 */
function rawOf(picture) {
  const [, height, width, channels] = input.shape;
  const share = Math.min(1, 4096 / Math.max(picture.width, picture.height));
  const [from, down] = [Math.max(1, Math.round(picture.width * share)), Math.max(1, Math.round(picture.height * share))];
  const canvas = new OffscreenCanvas(from, down).getContext('2d');
  canvas.imageSmoothingQuality = 'high';
  canvas.drawImage(picture, 0, 0, from, down);
  const drawn = canvas.getImageData(0, 0, from, down).data;
  // No browser says which colours lie under what is transparent, and those are what the model would have learnt from.
  if (drawn.some((value, i) => i % 4 === 3 && value < 255))
    throw new Error('expected a picture without transparent parts: save it on a background first');
  const data = resized(new Uint8Array(drawn.buffer), [down, from, 4], [height, width], LANCZOS);
  const raw = [];
  for (let i = 0; i < data.length; i += 4) {
    const [red, green, blue] = [data[i], data[i + 1], data[i + 2]];
    if (channels === 1) raw.push(Math.round(0.299 * red + 0.587 * green + 0.114 * blue));
    else raw.push(red, green, blue);
  }
  return raw;
}

`,
  show: SHOW,
  raw: 'const { raw } = example;',
  choose: `  const chooser = document.querySelector('input');
  if (input.shape.length === 4 && [1, 3].includes(input.shape[3])) {
    chooser.hidden = false;
    chooser.onchange = async () => {
      try {
        await show(rawOf(await createImageBitmap(chooser.files[0])));
      } catch (error) {
        list.append(Object.assign(document.createElement('li'), { textContent: chooser.files[0].name + ': ' + error.message }));
      }
    };
  }
`,
};

const ARRAYS: typeof NUMBERS = {
  ...NUMBERS,
  imports: '',
  field: '<textarea rows="4" cols="60" aria-label="Inputs as JSON: numbers by the name of the input"></textarea>',
  rest: `${SHARES}${JS_JOINED}`,
  raw: 'const raw = joined(models[0], example.inputs);',
  choose: `  const written = document.querySelector('textarea');
  written.onchange = () => show(joined(models[0], JSON.parse(written.value)));
`,
};

const TEXT: typeof NUMBERS = {
  field: '<textarea rows="4" cols="60" aria-label="Text; of a pair two lines"></textarea>',
  imports: "import { encoderFor } from '../tokenize/encode.js';\n",
  prepare: `const { text } = await (await load('preprocessing.json')).json();
const encode = encoderFor(text, text.file && (await (await load(text.file)).json()));

${JS_TEXT}`,
  rest: SHARES,
  show: SHOW,
  raw: `const { text: raw } = example;
    if (differsIn(example)) throw new Error('not the token ids that example.json holds');`,
  choose: `  const written = document.querySelector('textarea');
  written.onchange = () => show(text.texts === 2 ? written.value.split('\\n', 2) : written.value);
`,
};

const TAGS: typeof NUMBERS = {
  ...TEXT,
  ...{ field: PAGE_FIELD, imports: WORD_IMPORT, prepare: PAGE_WORDS, rest: '', show: PAGE_SHOW, choose: PAGE_CHOOSE },
  raw: `const { words: raw, ids } = example;
    if (ids.some((id, i) => id !== prepare(raw)[i])) throw new Error('not the token ids that example.json holds');`,
};

const SOUND: typeof NUMBERS = {
  ...NUMBERS,
  imports: "import { polyphase } from './polyphase.js';\n",
  field: SOUND_FIELD,
  prepare: `const { sound } = await (await load('preprocessing.json')).json();

${NUMBERS.prepare}`,
  rest: `${SHARES}${SOUND_REST}`,
  choose: SOUND_CHOOSE,
};

const SCRIPTS: Readonly<Record<Chosen, typeof NUMBERS>> = {
  ...{ numbers: NUMBERS, arrays: ARRAYS, text: TEXT, tags: TAGS, sound: SOUND },
};

/** Script of the pages, with the parts that differ between texts, sounds and numbers. */
function kitScript({ imports, prepare, rest, show, raw, choose }: typeof NUMBERS): string {
  return `// What both pages share: the files of the kit, preparation of inputs, and the page itself.
${imports}const root = new URL('../../', import.meta.url);
const load = async (file) => {
  const response = await fetch(new URL(file, root));
  if (!response.ok) throw new Error(file + ': ' + response.status);
  return response;
};
export const { models, input, normalization, output } = await (await load('preprocessing.json')).json();
const labels = (await (await load('labels.txt')).text()).replace(/\\n$/, '').split('\\n');

/** The model that the address names, or the first one of the format. */
export function modelOf(format) {
  const wanted = new URL(location.href).searchParams.get('model');
  const model = models.find(({ file, format: own }) => own === format && (wanted === null || file === wanted));
  if (model === undefined) throw new Error('this kit has no model ' + (wanted ?? 'of the format ' + format) + ': see index.html');
  document.querySelector('h1').append(': ' + model.file);
  return model;
}

export async function bytesOf({ file }) {
  return new Uint8Array(await (await load(file)).arrayBuffer());
}

${prepare}
${JS_FEEDS}
${rest}/** Page: runs the examples through classify(raw) -> logits, then every picture that is chosen. */
export async function start(classify) {
  const list = document.querySelector('ol');
${show}  const examples = await (await load('example.json')).json();
  const results = [];
  for (const example of examples) {
    ${raw}
    results.push(await show(raw, example.label));
  }
${choose}  document.body.dataset.results = JSON.stringify(results);
}
`;
}

const LITERT = `import { loadAndCompile, loadLiteRt, Tensor } from '@litertjs/core';
import { bytesOf, feedsOf, modelOf, output, prepare, start } from './kit.js';

await loadLiteRt('./node_modules/@litertjs/core/wasm/');
const model = modelOf('tflite');
const compiled = await loadAndCompile(await bytesOf(model), { accelerator: 'wasm' });

await start(async (raw) => {
  const fed = feedsOf(model, prepare(raw)).map(({ name, data, shape }) => [name, new Tensor(data, shape)]);
  const results = await compiled.run(Object.fromEntries(fed));
  const logits = results[output.name].toTypedArray().slice();
  for (const tensor of [...fed.map(([, one]) => one), ...Object.values(results)]) tensor.delete();
  return logits;
});
`;

const ONNXRUNTIME = `import * as ort from 'onnxruntime-web/wasm';
import { bytesOf, feedsOf, modelOf, output, prepare, start } from './kit.js';

ort.env.wasm.wasmPaths = new URL('./node_modules/onnxruntime-web/dist/', import.meta.url).href;
ort.env.wasm.numThreads = 1;
const model = modelOf('onnx');
const session = await ort.InferenceSession.create(await bytesOf(model));

await start(async (raw) => {
  const fed = feedsOf(model, prepare(raw)).map(({ name, dtype, data, shape }) => [name, new ort.Tensor(dtype, data, shape)]);
  const results = await session.run(Object.fromEntries(fed));
  return results[output.name].data;
});
`;
