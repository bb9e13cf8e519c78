import { JS_FEEDS, JS_JOINED, JS_PREPARE } from './feeds.ts';
import { NODE_EACH, NODE_WORDS, WORD_IMPORT } from './tags.ts';
import { NODE_TEXT, NODE_TEXT_CHECK } from './text.ts';

const RUNTIME = 'onnxruntime-node';

/** Rows of a table, where some columns are words. */
const ENCODE = `const { columns } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));

/** A row by the names of its columns as numbers: 0 and 1 for each word, all 0 for a word that the model does not know. */
export function encode(row) {
  return columns.flatMap(({ name, words }) => {
    const value = row[name];
    if (value === undefined) throw new Error('no column ' + name);
    const isText = typeof value === 'string' && value.trim() !== '';
    if (words === undefined) {
      const number = isText || typeof value === 'boolean' ? Number(value) : value;
      if (typeof number === 'number' && Number.isFinite(number)) return [number];
      throw new Error('column ' + name + ': expected a number, received ' + value);
    }
    if (!isText && typeof value !== 'boolean' && !Number.isFinite(value))
      throw new Error('column ' + name + ': expected a word, received ' + value);
    if (Number.isInteger(value) && !Number.isSafeInteger(value))
      throw new Error('column ' + name + ': ' + value + ' has more digits than numbers keep, give a text');
    const found = wordOf(value, words);
    return words.map((word) => (word === found ? 1 : 0));
  });
}

/** The word that a value is; those of a text file may write it otherwise: True, 2.0. */
function wordOf(value, words) {
  const given = String(value).trim();
  if (typeof value === 'string' || words.includes(given)) return given;
  return words.find((word) => (typeof value === 'number' ? Number(word) === value : word.toLowerCase() === given));
}

`;

const RAW = '{"raw": [numbers before normalization, row by row, channels last]}';

/** Kinds of samples: `arrays` for each of several inputs, `words` of columns of a table, `tags` of texts whose words have one each. */
export type SampleKind = 'numbers' | 'arrays' | 'words' | 'text' | 'tags';

/** Parts of a program that differ between kinds of samples; `take` reads the sample that is sent to the model. */
const PARTS = {
  numbers: { what: `${RAW}, ...`, imports: '', prepare: JS_PREPARE, take: '  const { raw } = sample;\n' },
  arrays: {
    what: '{"inputs": {"the name of an input": [numbers before normalization, row by row, channels last], ...}}, ...',
    ...{ imports: '', prepare: JS_JOINED + JS_PREPARE, take: '  const raw = joined(model, sample.inputs);\n' },
  },
  words: {
    what: `${RAW}, ...], or rows of a table by column: [{"age": 39, "city": "Oslo"}, ...`,
    ...{ imports: '', prepare: ENCODE + JS_PREPARE, take: '  const raw = sample.raw ?? encode(sample);\n' },
  },
  text: {
    what: '{"text": "a text, or [the two of a pair]"}, ...',
    imports: "import { encoderFor } from '../tokenize/encode.js';\n",
    prepare: NODE_TEXT,
    take: `  const { text: raw } = sample;\n${NODE_TEXT_CHECK}`,
  },
  tags: {
    what: '{"text": "a text"}, or words as you cut them: {"words": ["New", "York"]}, ...',
    ...{ imports: WORD_IMPORT, prepare: NODE_WORDS, take: '' },
  },
} as const satisfies Readonly<Record<SampleKind, object>>;

/** Files of a program in Node: its package, and from the imports to `prepare` what every such program has. */
function program(name: string, file: string, { what, imports, prepare }: (typeof PARTS)[SampleKind], rest: Program) {
  return {
    'package.json': `{
  "name": "${name}",
  "private": true,
  "type": "module",
  "scripts": { "start": "node ${file}" },
  "dependencies": { "${RUNTIME}": "^1.20.0" }
}
`,
    [file]: `// ${rest.does} with ONNX Runtime:  npm install && node ${file} [samples.json]
// samples.json: [${what}]
import { readFileSync } from 'node:fs';
${imports}
// By itself onnxruntime-node 1.30 sends data on the machine and the model to Microsoft; it reads this when it is loaded.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const ort = await import('${RUNTIME}');

const kit = new URL('../../', import.meta.url);
const { models, input, normalization, output } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));
const ${rest.labels} = readFileSync(new URL('labels.txt', kit), 'utf8').replace(/\\n$/, '').split('\\n');
const model = models.find(({ format }) => format === 'onnx');
const session = await ort.InferenceSession.create(readFileSync(new URL(model.file, kit)));

${prepare}
${JS_FEEDS}
${rest.doc}export async function ${rest.asks}(raw) {
  const fed = feedsOf(model, prepare(raw)).map(({ name, dtype, data, shape }) => [name, new ort.Tensor(dtype, data, shape)]);
  const results = await session.run(Object.fromEntries(fed));
  return results[output.name].data;
}

${rest.helper}
/** Samples of a file; of one of another kind, such as a picture, the program ends with a word about it. */
function samplesIn(file) {
  try {
    const samples = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(samples)) return samples;
  } catch (error) {
    if (!(error instanceof SyntaxError)) console.error(error.message);
  }
  console.error(file + ${JSON.stringify(`: expected a JSON file of samples, [${what}]`)});
  process.exit(1);
}

for (const sample of samplesIn(process.argv[2] ?? new URL('example.json', kit))) {
${rest.each}}
`,
  };
}

/** Parts that differ between programs: their purpose, the names of the labels and of the function that asks the model, and the work on each sample. */
interface Program {
  readonly does: string;
  readonly labels: string;
  readonly doc: string;
  readonly asks: string;
  readonly helper: string;
  readonly each: string;
}

/** A program for Node that classifies the examples of a kit with ONNX Runtime, and says whether it gives what it should. */
export function nodeSample(kind: SampleKind): Readonly<Record<string, string>> {
  return program('classify-in-node', 'classify.mjs', PARTS[kind], {
    ...{ does: 'Classifies samples', labels: 'labels', doc: '', asks: 'logitsOf' },
    helper: `export function probabilities(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}
`,
    each: `  const expected = sample.logits;
${PARTS[kind].take}  const logits = await logitsOf(raw);
  const shares = probabilities(logits);
  const best = shares.indexOf(Math.max(...shares));
  console.log(labels[best] + '\\t' + (100 * shares[best]).toFixed(1) + ' %');
  const differs = expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)));
  if (differs) {
    console.error('not the logits that example.json holds');
    process.exitCode = 1;
  }
`,
  });
}

/** The same where a model answers numbers or which of several labels a sample has, not classes: each by its name. */
export function nodeNumbers(kind: SampleKind): Readonly<Record<string, string>> {
  return program('predict-in-node', 'predict.mjs', PARTS[kind], {
    ...{ does: 'Predicts', labels: 'names', asks: 'predict' },
    doc: '/** Outputs in the order of labels.txt: numbers in the units of the labels, or logits of labels. */\n',
    helper: `/** A logit as the probability that the sample has the label. */
function shown(value) {
  return output.answers === 'logits' ? (100 / (1 + Math.exp(-value))).toFixed(1) + ' %' : String(value);
}
`,
    each: `  const expected = sample[output.answers];
${PARTS[kind].take}  const found = await predict(raw);
  console.log(names.map((name, i) => name + ' ' + shown(found[i])).join(', '));
  if (expected?.some((value, i) => Math.abs(value - found[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
    console.error('not what example.json holds');
    process.exitCode = 1;
  }
`,
  });
}

/** The same where a model gives each word of a text a tag. */
export function nodeTags(): Readonly<Record<string, string>> {
  return program('tag-in-node', 'tag.mjs', PARTS.tags, {
    ...{ does: 'Tags the words of texts', labels: 'names', asks: 'logitsOf', helper: '', each: NODE_EACH },
    doc: '/** Logits [tokens, tags] of a list of words, one token behind the other. */\n',
  });
}
