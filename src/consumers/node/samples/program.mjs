// __DOES__ with ONNX Runtime:  npm install --ignore-scripts && node __FILE__ [__GIVEN__]
// samples.json: [__WHAT__]
import { readFileSync } from 'node:fs';
// __IMPORTS__
// __MODULES__

// By itself onnxruntime-node 1.30 sends data on the machine and the model to Microsoft; it reads this when it is loaded.
process.env.ORT_DISABLE_TELEMETRY ??= '1';
const ort = await import('onnxruntime-node');

const kit = new URL('../../', import.meta.url);
const { models, input, normalization, output } = JSON.parse(readFileSync(new URL('preprocessing.json', kit), 'utf8'));
// __NAMES__
const model = models.find(({ format }) => format === 'onnx');
const session = await ort.InferenceSession.create(readFileSync(new URL(model.file, kit)));

// __PREPARE__

// __FEEDS__

// __DOC__
export async function __ASKS__(raw) {
  const fed = feedsOf(model, prepare(raw)).map(({ name, dtype, data, shape }) => [name, new ort.Tensor(dtype, data, shape)]);
  const results = await session.run(Object.fromEntries(fed));
  return __ANSWERS__;
}

// __HELPER__

/** Samples of a file; of one of another kind, such as a picture, the program ends with a word about it. */
function samplesIn(file) {
  try {
    const samples = JSON.parse(readFileSync(file, 'utf8'));
    if (Array.isArray(samples) && samples.every((sample) => sample?.constructor === Object)) return samples;
  } catch (error) {
    if (!(error instanceof SyntaxError)) console.error(error.message);
  }
  console.error(file + __EXPECTED__);
  process.exit(1);
}

// __PICTURE__

const given = process.argv[2] ?? new URL('example.json', kit);
for (const sample of __SAMPLES__) {
  // __EACH__
}
