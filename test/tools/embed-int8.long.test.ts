import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { convertFile } from '../../src/ship/convert.ts';
import { embed } from '../../src/tools/embed.ts';
import { encoderBytes } from '../support/encoder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { npyBytes } from '../support/npy.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

const [TEXTS, LENGTH, SIZE, WIDTH] = [200, 16, 32, 64];
const WORDS = Array.from({ length: 2000 }, (_, i) => `w${i}`);

async function writeStatic(): Promise<void> {
  const tokenizer = wordPieces(WORDS);
  writeFileSync(at('tokenizer.json'), JSON.stringify(tokenizer));
  const vocabulary = Object.keys(tokenizer.model.vocab as object).length;
  writeFileSync(at('encoder.onnx'), await encoderBytes(vocabulary, WIDTH));
  const shared = { tokenizer: at('tokenizer.json'), size: SIZE, length: LENGTH, pooling: 'mean' } as const;
  await embed({ encoder: at('encoder.onnx'), ...shared, out: at('out/static.onnx') });
}

/** Ids of texts of 5 to 16 tokens, more of frequent ones than of rare ones. */
function ids(): Float32Array {
  const random = new RandomStream('texts of ids');
  const rows = Array.from({ length: TEXTS }, () => {
    const tokens = 5 + random.below(LENGTH - 4);
    return Array.from({ length: LENGTH }, (_, i) => (i < tokens ? 4 + Math.floor(2000 * random.uniform() ** 3) : 0));
  });
  return Float32Array.from(rows.flat());
}

async function vectors(file: string, x: Float32Array): Promise<Float32Array> {
  if (file.endsWith('.onnx')) {
    const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', {}));
    const { logits } = await model.run({ input: { data: x, shape: [TEXTS, LENGTH] } });
    model.dispose();
    return logits!.data as Float32Array;
  }
  const session = await openTflite(readFileSync(file));
  const out = new Float32Array(TEXTS * SIZE);
  for (let i = 0; i < TEXTS; i++) {
    const { logits } = await session.run({ input: x.slice(i * LENGTH, (i + 1) * LENGTH) });
    out.set(logits as Float32Array, i * SIZE);
  }
  session.dispose();
  return out;
}

/** Cosines between the vectors of the texts, ascending. */
function cosines(a: Float32Array, b: Float32Array): number[] {
  const product = (p: Float32Array, q: Float32Array, row: number): number => {
    let sum = 0;
    for (let k = row * SIZE; k < (row + 1) * SIZE; k++) sum += p[k]! * q[k]!;
    return sum;
  };
  const cosine = (row: number): number => product(a, b, row) / Math.sqrt(product(a, a, row) * product(b, b, row));
  return Array.from({ length: TEXTS }, (_, row) => cosine(row)).sort((p, q) => p - q);
}

it('static embeddings keep their direction in dynamic int8, in little more than a quarter of the bytes', async () => {
  await writeStatic();
  const x = ids();
  writeFileSync(at('x.npy'), npyBytes([TEXTS, LENGTH], x));
  const from = at('out/static.onnx');
  const expected = await vectors(from, x);
  for (const format of ['onnx', 'tflite'] as const) {
    const out = at(`out/small.${format}`);
    const { skipped } = await convertFile({ from, out, format, precision: 'dynamic-int8', data: at('x.npy') });
    const all = cosines(await vectors(out, x), expected);
    const [least, middle] = [all[0]!, all[TEXTS / 2]!];
    const share = statSync(out).size / statSync(from).size;
    process.stdout.write(
      `${format}: ${share.toFixed(3)} of the bytes, cosine ${least.toFixed(5)} at least, ${middle.toFixed(5)} in the middle\n`,
    );
    // The mean over the tokens is a product with a mask, which has no weights.
    expect(skipped.map(({ why }) => why)).toEqual(format === 'onnx' ? ['its weights are computed'] : []);
    expect([format, share < 0.32, least > 0.999, least < 1]).toEqual([format, true, true, true]);
  }
  // Calibrated int8 in ONNX stores it so too.
  const { skipped } = await convertFile({ from, out: at('out/other.onnx'), precision: 'int8', data: at('x.npy') });
  expect(skipped.map(({ why }) => why)).toEqual(['its weights are computed']);
  expect(statSync(at('out/other.onnx')).size / statSync(from).size).toBeLessThan(0.32);
});
