import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openText } from '../../src/data/text/open.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/session-choice.ts';
import { embed } from '../../src/tools/embed.ts';
import { textsOfMany } from '../support/texts.ts';
import { runPython } from './python.ts';

/** As in static_embeddings.py. */
const SIZE = 16;
const LENGTH = 128;
const folder = mkdtempSync(path.join(tmpdir(), 'static-embeddings-'));
const file = (name: string): string => path.join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The same direction with length 1; zeros stay zeros. */
function unit(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / Math.max(length, 1e-30));
}

const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

it('static embeddings of an encoder are those that model2vec makes of it', async () => {
  // Texts that spell a special token, as [SEP], are another matter: model2vec takes it for letters.
  const texts = textsOfMany(400, false).filter((text) => !/[[<]/.test(text) && /\p{Letter}/u.test(text));
  writeFileSync(file('texts.json'), JSON.stringify(texts));
  expect(texts.length).toBeGreaterThan(100);
  expect(runPython('static_embeddings.py', folder)).toBeGreaterThan(800);
  const out = file('made/static.onnx');
  const tokenizer = file('tokenizer.json');
  const made = { encoder: file('encoder.onnx'), tokenizer, size: SIZE, length: LENGTH, pooling: 'mean', out } as const;
  const { kept, width } = await embed(made);
  expect([width, kept > 0.3 && kept < 1]).toEqual([48, true]);
  const { encode } = await openText({ column: 'text', tokenizer: file('made/tokenizer.json'), length: LENGTH });
  const model = new InferenceModel(readFileSync(out), out, sessionOptions('cpu', {}));
  const data = Float32Array.from(texts.flatMap((text) => Array.from(encode([text]).ids)));
  const { logits } = await model.run({ input: { data, shape: [texts.length, LENGTH] } });
  const ours = texts.map((_, i) => unit(Array.from(logits!.data.slice(i * SIZE, (i + 1) * SIZE), Number)));
  const theirs = (JSON.parse(readFileSync(file('vectors.json'), 'utf8')) as number[][]).map(unit);
  const angles = texts.map((_, i) => {
    const j = (7 * i + 1) % texts.length;
    return Math.abs(product(ours[i]!, ours[j]!) - product(theirs[i]!, theirs[j]!));
  });
  const own = texts.map((_, i) => product(ours[i]!, theirs[i]!));
  process.stdout.write(
    `angles between texts differ by ${Math.max(...angles).toFixed(4)}, least cosine ${Math.min(...own).toFixed(4)}\n`,
  );
  model.dispose();
  expect(Math.max(...angles)).toBeLessThan(1e-4);
  expect(Math.min(...own)).toBeGreaterThan(0.9999);
});
