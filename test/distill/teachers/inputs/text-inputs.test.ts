import { askedAboutTexts, textInputs } from '../../../../src/distill/teachers/inputs/text-inputs.ts';
import type { ModelValue } from '../../../../src/runtime/inference.ts';

const LENGTH = 40;
const TOKENS = [17, 1, 40, 16, 32, 33, 0, 17];

/** Texts of so many tokens, the i-th of i + 1 alone, and their mask. */
const parts = [
  { name: 'input_ids', shape: [LENGTH], from: 0 },
  { name: 'attention_mask', shape: [LENGTH], from: LENGTH },
];
const data = { text: { length: LENGTH }, inputs: parts, sampleShape: [2 * LENGTH] } as unknown as Parameters<
  typeof textInputs
>[2];
const x = Float32Array.from({ length: TOKENS.length * 2 * LENGTH }, (_, at) => {
  const [row, column] = [Math.floor(at / (2 * LENGTH)), at % (2 * LENGTH)];
  if (column % LENGTH >= TOKENS[row]!) return 0;
  return column < LENGTH ? row + 1 : 1;
});

const file = (batch: number | string, length: number | string): ModelValue[] =>
  ['input_ids', 'attention_mask'].map((name) => ({ name, dtype: 'int64', shape: [batch, length] }));

/** The sums of the ids of each text, by a file that is asked; and the shapes that it was asked for. */
async function asked(inputs: readonly ModelValue[], whole = false) {
  const shapes: string[] = [];
  const { sums } = await askedAboutTexts(x, TOKENS.length, textInputs(inputs, 'a.onnx', data), {
    ...{ data, name: 'a.onnx', whole },
    ask: ({ input_ids: ids, attention_mask: mask }, n) => {
      shapes.push(ids!.shape.join('×'));
      const length = ids!.shape[1]!;
      const rows = Array.from({ length: n }, (_, i) => i * length);
      const of = (i: number): number => Number(ids!.data[i]) * Number(mask!.data[i]);
      const sums = rows.map((start) => Array.from({ length }, (_, k) => of(start + k)).reduce((a, b) => a + b, 0));
      return Promise.resolve({ sums: { data: Float32Array.from(sums), shape: [n, 1] } });
    },
  });
  return { sums: [...sums!.data], shape: sums!.shape, shapes };
}

const expected = { sums: TOKENS.map((tokens, row) => tokens * (row + 1)), shape: [TOKENS.length, 1] };

it('texts are filled up to the next multiple of 16 tokens, no token is lost, and answers are in their order', async () => {
  const { shapes, ...answers } = await asked(file('batch', 'tokens'));
  expect(answers).toEqual(expected);
  expect(shapes.sort()).toEqual(['2×40', '3×16', '3×32']);
});

it('a file of one length, and one that is asked for whole texts, has them all at once', async () => {
  for (const [inputs, whole] of [
    [file('batch', LENGTH), false],
    [file('batch', 'tokens'), true],
  ] as const)
    expect(await asked(inputs, whole)).toEqual({ ...expected, shapes: ['8×40'] });
});

it('a file that answers each token is refused with a remedy, whatever the lengths of the texts', async () => {
  for (const inputs of [file('batch', 'tokens'), file('batch', LENGTH)])
    await expect(
      askedAboutTexts(x, TOKENS.length, textInputs(inputs, 'a.onnx', data), {
        ...{ data, name: 'a.onnx', whole: false, answer: 'hidden' },
        ask: ({ input_ids: ids }, n) => {
          const shape = [n, ids!.shape[1]!, 3];
          return Promise.resolve({ hidden: { data: new Float32Array(3 * n * shape[1]!), shape } });
        },
      }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(
        /^a\.onnx: its output hidden is \[\d, (16|32|40), 3\], a row for each token, and/,
      ) as string,
      hint: expect.stringContaining('Export the teacher with one row for each text') as string,
    });
});

it('a file of a fixed batch is asked again and again, and the last time for texts that it has answered', async () => {
  expect(await asked(file(3, LENGTH))).toEqual({ ...expected, shapes: ['3×40', '3×40', '3×40'] });
});
