import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/session-choice.ts';
import { embed } from '../../src/tools/embed.ts';
import { encoderBytes } from '../support/encoder.ts';
import { temporaryFolder } from '../support/folder.ts';
import { wordPieces } from '../support/tokenizer.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const WIDTH = 4;
const VOCABULARY = 58;
const [MY, CARD] = [56, 57];

/** An encoder of texts of three tokens, [batch, 3] to [batch, 4], and its tokenizer. */
async function writeEncoder(): Promise<void> {
  writeFileSync(at('tokenizer.json'), JSON.stringify(wordPieces(['my', 'card'])));
  writeFileSync(at('encoder.onnx'), await encoderBytes(VOCABULARY, WIDTH));
}

async function answers(file: string, rows: readonly (readonly number[])[]): Promise<number[][]> {
  const model = new InferenceModel(readFileSync(file), file, sessionOptions('cpu', {}));
  const shape = [rows.length, rows[0]!.length];
  const { logits } = await model.run({ input: { data: Float32Array.from(rows.flat()), shape } });
  model.dispose();
  const size = logits!.data.length / rows.length;
  return rows.map((_, i) => Array.from(logits!.data.slice(i * size, (i + 1) * size), Number));
}

const product = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);

const made = () => ({
  ...{ encoder: at('encoder.onnx'), tokenizer: at('tokenizer.json'), size: WIDTH, length: 6 },
  ...({ pooling: 'mean', out: at('out/static.onnx') } as const),
});

it('gives each token the vector of the encoder for it alone, centred and weighted by its rank, and texts their mean', async () => {
  await writeEncoder();
  expect(await embed(made())).toMatchObject({ vocabulary: VOCABULARY, width: WIDTH, size: WIDTH });
  // [CLS] and [SEP], 2 and 3, have no place in the order; [PAD] and [UNK] have the first two.
  const order = Array.from({ length: VOCABULARY }, (_, id) => id).filter((id) => id !== 2 && id !== 3);
  const own = await answers(
    at('encoder.onnx'),
    order.map((id) => [2, id, 3]),
  );
  const mean = own[0]!.map((_, k) => own.reduce((sum, row) => sum + row[k]! / own.length, 0));
  const zipf = order.reduce((sum, _, rank) => sum + 1 / (rank + 2), 0);
  const expected = new Map(
    order.map((id, rank) => {
      const weight = 1e-4 / (1e-4 + 1 / (rank + 2) / zipf);
      return [id, own[rank]!.map((value, k) => weight * (value - mean[k]!))];
    }),
  );
  const [my, card, text, unknown] = (await answers(at('out/static.onnx'), [
    [MY, 0, 0, 0, 0, 0],
    [CARD, 0, 0, 0, 0, 0],
    [2, MY, CARD, 3, 0, 0],
    [1, 0, 0, 0, 0, 0],
  ])) as [number[], number[], number[], number[]];
  // Turned onto its principal components: products between vectors are what they were.
  for (const [a, b, ids] of [
    [my, my, [MY, MY]],
    [card, card, [CARD, CARD]],
    [my, card, [MY, CARD]],
  ] as const) {
    const wanted = product(expected.get(ids[0])!, expected.get(ids[1])!);
    expect(product(a, b) / wanted).toBeCloseTo(1, 4);
  }
  text.forEach((value, k) => expect(value).toBeCloseTo((my[k]! + card[k]!) / 4, 7));
  expect(unknown.map(Math.abs)).toEqual([0, 0, 0, 0]);
  expect(readFileSync(at('out/tokenizer.json'))).toEqual(readFileSync(at('tokenizer.json')));
});

it.each([
  [{ size: 5 }, /^--size: expected at most 4, received 5$/],
  [
    { output: 'pooler' },
    /^--output: expected an output of .*encoder\.onnx that is float32 \[batch, tokens, width\] or/,
  ],
  [{ tokenizer: 'bytes' }, /^--tokenizer: expected a tokenizer\.json, received bytes$/],
])('refuses %j', async (change, message) => {
  await writeEncoder();
  await expect(embed({ ...made(), ...change })).rejects.toThrow(message);
});

it('refuses to write over the encoder', async () => {
  await writeEncoder();
  const before = readFileSync(at('encoder.onnx'));
  await expect(embed({ ...made(), out: at('encoder.onnx') })).rejects.toThrow(
    /^--out: .*encoder\.onnx is the encoder$/,
  );
  expect(readFileSync(at('encoder.onnx'))).toEqual(before);
});

it("refuses to write over another model's tokenizer", async () => {
  await writeEncoder();
  await embed(made());
  await embed(made());
  writeFileSync(at('out/tokenizer.json'), '{}');
  await expect(embed(made())).rejects.toThrow(
    /^--out: beside .*static\.onnx lies the tokenizer\.json of another model$/,
  );
  expect(readFileSync(at('out/tokenizer.json'), 'utf8')).toBe('{}');
});
