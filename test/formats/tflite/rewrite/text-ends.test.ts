import { exportTflite } from '../../../../src/formats/tflite/export.ts';
import { associatedFiles } from '../../../../src/formats/tflite/metadata/archive.ts';
import { decodeMetadata } from '../../../../src/formats/tflite/metadata/metadata.ts';
import { readTflite } from '../../../../src/formats/tflite/read.ts';
import { withTextEnds } from '../../../../src/formats/tflite/rewrite/text-ends.ts';
import { openTflite } from '../../../../src/runtime/litert.ts';
import { floats, ints, sketch } from '../support.ts';

const files = { 'labels.txt': 'a\nb\nc\n', 'vocab.txt': '[PAD]\n[UNK]\n' };
const bert = { tokenizer: { kind: 'bert' }, hasLabels: true, description: 'Texts.', files } as const;

/** Logits of token ids as numbers: a model whose answers show each id. */
const ofIds = exportTflite(
  sketch((g) => g.op('BatchMatMul', [g.input('input', floats('batch', 4)), g.weights([4, 3])], { transposeA: false, transposeB: false })),
  { description: { name: 'ids', labels: ['a', 'b', 'c'] } },
).bytes; // prettier-ignore

const asked = async (bytes: Uint8Array, feeds: Record<string, Int32Array | Float32Array>): Promise<number[]> => {
  const session = await openTflite(bytes);
  const results = await session.run(feeds);
  session.dispose();
  return Array.from(Object.values(results)[0] as Float32Array);
};

const ids = Int32Array.of(2, 7, 0, 0);
const mask = Int32Array.of(1, 1, 0, 0);
const segment_ids = new Int32Array(4);

it('feeds a model the ids of MediaPipe with its own padding, and gives the probabilities of its logits', async () => {
  const changed = withTextEnds(ofIds, { length: 4, padding: 9, activation: 'SOFTMAX', answer: 'probabilities' }, bert);
  const logits = await asked(ofIds, { input: Float32Array.of(2, 7, 9, 9) });
  const powers = logits.map((value) => Math.exp(value - Math.max(...logits)));
  const total = powers.reduce((sum, value) => sum + value, 0);
  const found = await asked(changed, { ids, mask, segment_ids });
  found.forEach((value, i) => expect(value).toBeCloseTo(powers[i]! / total, 5));
  const model = readTflite(changed);
  const { tensors, inputs, outputs } = model.subgraphs[0]!;
  expect(inputs.map((i) => [tensors[i]!.name, tensors[i]!.shape])).toEqual([
    ['ids', [1, 4]],
    ['mask', [1, 4]],
    ['segment_ids', [1, 4]],
  ]);
  expect(outputs.map((i) => tensors[i]!.name)).toEqual(['probabilities']);
  expect(associatedFiles(changed)).toEqual(files);
  const [main] = decodeMetadata(model)!['subgraphMetadata'] as [Record<string, unknown>];
  expect(main['inputProcessUnits']).toEqual([
    { options: { type$: 'BertTokenizerOptions', vocabFile: [{ name: 'vocab.txt', description: 'Tokens.', type: 5 }] } },
  ]);
  expect(main['outputTensorMetadata']).toMatchObject([{ name: 'probabilities', associatedFiles: [{ type: 2 }] }]);
});

it('gives the probability of each of several labels', async () => {
  const changed = withTextEnds(ofIds, { length: 4, padding: 0, activation: 'LOGISTIC', answer: 'probabilities' }, bert);
  const logits = await asked(ofIds, { input: Float32Array.from(ids) });
  const found = await asked(changed, { ids, mask, segment_ids });
  found.forEach((value, i) => expect(value).toBeCloseTo(1 / (1 + Math.exp(-logits[i]!)), 5));
});

it('leaves the padding of whole words, and the answers of a model without a last function, as they are', async () => {
  const tokenizer = { kind: 'regex', pattern: ' +' } as const;
  const changed = withTextEnds(ofIds, { length: 4, padding: 9, answer: 'values' }, { ...bert, tokenizer });
  const given = Int32Array.of(2, 7, 9, 9);
  const logits = await asked(ofIds, { input: Float32Array.from(given) });
  expect(await asked(changed, { ids: given })).toEqual(logits);
});

it('feeds ids and mask to a model of several inputs that takes them as whole numbers', async () => {
  const { bytes } = exportTflite(
    sketch((g) => {
      const parts = ['input_ids', 'attention_mask'].map((name) => g.op('Cast', [g.input(name, ints('batch', 4))], { dtype: 'float32' }));
      return g.op('Multiply', parts);
    }),
    { description: { name: 'several' } },
  ); // prettier-ignore
  for (const padding of [0, 9]) {
    const changed = withTextEnds(bytes, { length: 4, padding, answer: 'y0' }, { ...bert, hasLabels: false });
    expect(await asked(changed, { ids, mask: Int32Array.of(3, 5, 0, 0), segment_ids })).toEqual([
      2 * 3 + padding * (1 - 3) * 3,
      7 * 5 + padding * (1 - 5) * 5,
      0,
      0,
    ]);
  }
});
