import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { usualText } from '../../../src/folder/usual-answers.ts';
import { usualAnswers } from '../../../src/measure/usual-answers.ts';
import { InferenceModel } from '../../../src/runtime/inference.ts';
import { sessionOptions } from '../../../src/runtime/onnxruntime/session-choice.ts';
import { classifier } from '../../serve/models.ts';
import { ask, floats, serving } from '../../serve/server.ts';
import type { Served } from '../../serve/server.ts';

/** Samples of its own test split that the student is asked: 10,000 by `npm run test:drift`. */
const OWN = Number(process.env.LIMBECK_DRIFT ?? 600);
const FILE = 'checkpoints/fashion-mnist-teacher/exports/distilled.onnx';
const SIZE = 784;
/** Samples of a request. */
const EACH = OWN > 1000 ? 1 : 20;

type Picture = Float32Array;

async function fashion(): Promise<Picture[]> {
  const bytes = gunzipSync(await readFile('datasets/fashion-mnist/t10k-images-idx3-ubyte.gz')).subarray(16);
  return Array.from({ length: OWN }, (_, i) =>
    Float32Array.from(bytes.subarray(i * SIZE, (i + 1) * SIZE), (value) => value / 255),
  );
}

/** Handwritten digits of 8 × 8 as pictures of 28 × 28, white on black as MNIST has them. */
async function digits(): Promise<Picture[]> {
  const lines = (await readFile('datasets/digits/test.csv', 'utf8')).trim().split('\n').slice(1);
  return lines.map((line) => {
    const values = line.split(',').slice(0, 64).map(Number);
    return Float32Array.from({ length: SIZE }, (_, i) => {
      const [row, column] = [Math.floor(i / 28 / 3.5), Math.floor((i % 28) / 3.5)];
      return values[8 * row + column]! / 16;
    });
  });
}

function joined(pictures: readonly Picture[]): Float32Array {
  const data = new Float32Array(SIZE * pictures.length);
  pictures.forEach((picture, i) => data.set(picture, i * SIZE));
  return data;
}

function requestOf(pictures: readonly Picture[]) {
  const parameters = { binary_data_size: 4 * SIZE * pictures.length };
  const inputs = [{ name: 'input', datatype: 'FP32', shape: [pictures.length, 28, 28, 1], parameters }];
  const head = Buffer.from(JSON.stringify({ inputs, parameters: { binary_data_output: true } }));
  const body = Buffer.concat([head, Buffer.from(joined(pictures).buffer)]);
  return { body, headers: { 'inference-header-content-length': String(head.length) } };
}

describe('a Fashion-MNIST student that is served', () => {
  let server: Served;
  let own: Picture[];
  beforeAll(async () => {
    own = await fashion();
    const bytes = await readFile(FILE);
    const model = new InferenceModel(bytes, FILE, sessionOptions('cpu', { threads: 1 }));
    const logits = new Float32Array(10 * OWN);
    for (let at = 0; at < OWN; at += 100) {
      const data = joined(own.slice(at, at + 100));
      const results = model.runNow({ input: { data, shape: [data.length / SIZE, 28, 28, 1] } });
      logits.set(results['logits']!.data as Float32Array, 10 * at);
    }
    model.dispose();
    const usual = usualText(bytes, usualAnswers(logits, 10, 'test'));
    server = await serving({ 'student.onnx': bytes, 'student.usual.json': Buffer.from(usual) });
  });
  afterAll(() => server.end());

  /** What the index was at its largest after each hundred. */
  async function served(pictures: readonly Picture[]): Promise<number[]> {
    const seen: number[] = [];
    for (let at = 0; at < pictures.length; at += 100) {
      const some = pictures.slice(at, at + 100);
      const requests = Array.from({ length: Math.ceil(some.length / EACH) }, (_, i) =>
        requestOf(some.slice(i * EACH, (i + 1) * EACH)),
      );
      const answers = await Promise.all(requests.map((one) => ask(server, '/v2/models/student/infer', one)));
      expect(answers.every(({ status }) => status === 200)).toBe(true);
      const text = (await ask(server, '/metrics')).body.toString('utf8');
      const values = [...text.matchAll(/^limbeck_serve_drift_psi\{.*\} (\S+)$/gm)].map(([, value]) => Number(value));
      if (values.length > 0) seen.push(Math.max(...values));
    }
    return seen;
  }
  const warnings = (): string[] => server.lines.filter((line) => line.startsWith('warn: student: its answers'));

  it(`raises no alert on ${OWN} samples of its own test split`, async () => {
    const seen = await served(own);
    expect(seen.length).toBeGreaterThan(OWN / 100 - 3);
    expect(Math.max(...seen)).toBeLessThan(0.1);
    expect(warnings()).toEqual([]);
  });

  it('raises one within 500 inverted pictures, and takes it back when the old ones come again', async () => {
    const inverted = own.slice(0, 500).map((picture) => picture.map((value) => 1 - value));
    expect((await served(inverted)).at(-1)).toBeGreaterThan(0.25);
    expect(warnings()).toHaveLength(1);
    expect((await served(own.slice(0, 600))).at(-1)).toBeLessThan(0.1);
    expect(server.lines).toContain(
      'info: student: its answers are again as they were on the data that it was measured on',
    );
  });

  it('raises one within 500 handwritten digits', async () => {
    const pictures = (await digits()).slice(0, 450);
    expect(pictures.length).toBeGreaterThan(300);
    expect((await served(pictures)).at(-1)).toBeGreaterThan(0.25);
  });
});

describe('usual answers of a file', () => {
  it('of another file are refused with what to do', async () => {
    const bytes = classifier();
    const usual = usualText(classifier({ seed: 1 }), usualAnswers(Float32Array.from([1, 2, 3]), 3, 'test'));
    const files = { 'animals.onnx': bytes, 'animals.usual.json': Buffer.from(usual) };
    await expect(serving(files)).rejects.toThrow(/animals.usual.json: it belongs to another model than animals.onnx/);
  });

  it('that are not there are not watched, and nothing is said of drift', async () => {
    const server = await serving({ 'animals.onnx': classifier() });
    await ask(server, '/v2/models/animals/infer', { body: floats({ x: [[1, 2, 3, 4]] }) });
    expect((await ask(server, '/metrics')).body.toString('utf8')).not.toMatch(/^limbeck_serve_drift_\w+\{/m);
    await server.end();
  });
});
