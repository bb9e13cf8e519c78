import { NODE_TEXT, NODE_TEXT_CHECK } from './text.ts';

const RUNTIME = 'onnxruntime-node';

/** What numbers are made ready by. */
const PREPARE = `/** Values as the model was trained on them: (value * scale - mean) / std, channel by channel. */
export function prepare(raw) {
  const { scale, mean, std } = normalization;
  const channels = mean.length;
  return Float32Array.from(raw, (value, i) => (value * scale - mean[i % channels]) / std[i % channels]);
}
`;

/** What a sample of numbers and one of texts have of their own. */
function ownParts(isText: boolean) {
  return isText
    ? {
        what: '{"text": "a text, or [the two of a pair]"}',
        imports: "import { encoderFor } from '../tokenize/encode.js';\n",
        prepare: NODE_TEXT,
        raw: 'text: raw, ids',
        check: NODE_TEXT_CHECK,
      }
    : {
        what: '{"raw": [numbers before normalization, row by row, channels last]}',
        ...{ imports: '', prepare: PREPARE, raw: 'raw', check: '' },
      };
}

/** A program for Node that classifies the examples of a kit with ONNX Runtime, and says whether it gives what it should. */
export function nodeSample(isText: boolean): Readonly<Record<string, string>> {
  const { what, imports, prepare, raw, check } = ownParts(isText);
  return {
    'package.json': `{
  "name": "classify-in-node",
  "private": true,
  "type": "module",
  "scripts": { "start": "node classify.mjs" },
  "dependencies": { "${RUNTIME}": "^1.20.0" }
}
`,
    'classify.mjs': `// Classifies samples with ONNX Runtime:  npm install && node classify.mjs [samples.json]
// samples.json: [${what}, ...]
import { readFileSync } from 'node:fs';
import * as ort from '${RUNTIME}';
${imports}
const kit = new URL('../../', import.meta.url);
const { models, input, normalization, output } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));
const labels = readFileSync(new URL('labels.txt', kit), 'utf8').replace(/\\n$/, '').split('\\n');
const model = models.find(({ format }) => format === 'onnx');
const session = await ort.InferenceSession.create(readFileSync(new URL(model.file, kit)));

${prepare}
export async function logitsOf(raw) {
  const results = await session.run({ [input.name]: new ort.Tensor('float32', prepare(raw), input.shape) });
  return results[output.name].data;
}

export function probabilities(logits) {
  const largest = Math.max(...logits);
  const powers = Array.from(logits, (value) => Math.exp(value - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

const file = process.argv[2] ?? new URL('example.json', kit);
for (const { ${raw}, logits: expected } of JSON.parse(readFileSync(file, 'utf8'))) {
${check}  const logits = await logitsOf(raw);
  const shares = probabilities(logits);
  const best = shares.indexOf(Math.max(...shares));
  console.log(labels[best] + '\\t' + (100 * shares[best]).toFixed(1) + ' %');
  const differs = expected?.some((value, i) => Math.abs(value - logits[i]) > 1e-3 * Math.max(1, Math.abs(value)));
  if (differs) {
    console.error('not the logits that example.json holds');
    process.exitCode = 1;
  }
}
`,
  };
}

/** The same where a model answers numbers or which of several labels a sample has, not classes: each by its name. */
export function nodeNumbers(isText: boolean): Readonly<Record<string, string>> {
  const { what, imports, prepare, raw, check } = ownParts(isText);
  return {
    'package.json': `{
  "name": "predict-in-node",
  "private": true,
  "type": "module",
  "scripts": { "start": "node predict.mjs" },
  "dependencies": { "${RUNTIME}": "^1.20.0" }
}
`,
    'predict.mjs': `// Predicts with ONNX Runtime:  npm install && node predict.mjs [samples.json]
// samples.json: [${what}, ...]
import { readFileSync } from 'node:fs';
import * as ort from '${RUNTIME}';
${imports}
const kit = new URL('../../', import.meta.url);
const { models, input, normalization, output } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));
const names = readFileSync(new URL('labels.txt', kit), 'utf8').replace(/\\n$/, '').split('\\n');
const model = models.find(({ format }) => format === 'onnx');
const session = await ort.InferenceSession.create(readFileSync(new URL(model.file, kit)));

${prepare}
/** Outputs in the order of labels.txt: numbers in the units of the labels, or logits of labels. */
export async function predict(raw) {
  const results = await session.run({ [input.name]: new ort.Tensor('float32', prepare(raw), input.shape) });
  return results[output.name].data;
}

/** A logit as the probability that the sample has the label. */
function shown(value) {
  return output.answers === 'logits' ? (100 / (1 + Math.exp(-value))).toFixed(1) + ' %' : String(value);
}

const file = process.argv[2] ?? new URL('example.json', kit);
for (const sample of JSON.parse(readFileSync(file, 'utf8'))) {
  const expected = sample[output.answers];
  const { ${raw} } = sample;
${check}  const found = await predict(raw);
  console.log(names.map((name, i) => name + ' ' + shown(found[i])).join(', '));
  if (expected?.some((value, i) => Math.abs(value - found[i]) > 1e-3 * Math.max(1, Math.abs(value)))) {
    console.error('not what example.json holds');
    process.exitCode = 1;
  }
}
`,
  };
}
