// Needs the feature next-token.
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { decodeModel } from '../../src/formats/onnx/protobuf.ts';
import { reportHtml } from '../../src/report/html/page.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { ask, serving } from '../serve/server.ts';
import { QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import { phrasesAsJsonl } from '../support/phrases.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);
const [LENGTH, TOKENS, END] = [32, 258, 257];

const training = { epochs: 8, batchSize: 8, optimizer: { type: 'adamw', learningRate: 0.02, schedule: 'onecycle' } };
const recipe = {
  name: 'words',
  dataset: { type: 'texts', task: 'next-token', train: 'train.jsonl', test: 'test.jsonl', text: { length: LENGTH } },
  teacher: { train: { model: 'decoder', size: 32, depth: 1, ...training } },
  student: { model: 'decoder', size: 16, depth: 1, heads: 2, groups: 1 },
  distill: training,
  quantize: [
    { samples: 64, maxDrop: 100 },
    { scheme: 'dynamic-int8', maxDrop: 100 },
  ],
  export: ['onnx'],
  ...QUICK,
};

it('goes from texts to files that say which token comes next, as a server of them does', async () => {
  await writeFile(at('train.jsonl'), phrasesAsJsonl(300, 'train'));
  await writeFile(at('test.jsonl'), phrasesAsJsonl(60, 'test'));
  const made = makeRecipe(recipe, folder());
  const { report, folder: run } = await runRecipe(made, { out: folder() });
  const score = Object.fromEntries(report.models.map(({ id, score: of }) => [id, of.test!]));
  const ids = ['distilled', 'distilled-int8', 'distilled-dynamic-int8'];
  // The frequencies of the letters alone give about 4 bits.
  for (const id of ['teacher', ...ids]) expect([id, score[id]! < 3]).toEqual([id, true]);
  expect(report.score).toMatchObject({ name: 'BPB', better: 'lower' });
  const { nextTokens } = report.models.find(({ id }) => id === 'distilled')!;
  expect(nextTokens!.bitsPerByte).toBeCloseTo(score['distilled']!, 6);
  expect(nextTokens!.bytes).toBe(
    phrasesAsJsonl(60, 'test')
      .trim()
      .split('\n')
      .reduce((sum, line) => sum + (JSON.parse(line) as { text: string }).text.length, 0),
  );
  expect(reportHtml(report)).toContain('<section id="next-tokens">');

  const file = path.join(run, 'exports/distilled.onnx');
  const model = decodeModel(readFileSync(file), file);
  expect(model.graph.outputs[0]).toMatchObject({ name: 'logits', dims: ['batch', LENGTH, TOKENS] });
  expect(JSON.parse(model.metadata.get('targets')!)).toHaveLength(TOKENS);
  const { score: own } = await evaluateFile(file, made, 'test');
  expect(own!.value).toBe(score['distilled']);

  // A long beginning loses its start; the answer is that of the file at its last token.
  const texts = ['the c', 'my sister hears the rain.', 'a dog eats some bread. the bird likes the s'];
  const session = await InferenceSession.create(file);
  const expected: number[] = [];
  for (const text of texts) {
    const tokens = [END, ...[...Buffer.from(text)].map((byte) => byte + 1)].slice(-LENGTH);
    const padded = Float32Array.from({ length: LENGTH }, (_, i) => tokens[i] ?? END);
    const { logits } = await session.run({ [session.inputNames[0]!]: new Tensor('float32', padded, [1, LENGTH]) });
    const row = [...(logits!.data as Float32Array)].slice((tokens.length - 1) * TOKENS, tokens.length * TOKENS);
    expected.push(row.indexOf(Math.max(...row)));
  }
  const server = await serving({}, { models: [path.join(run, 'exports')] });
  const { json } = await ask(server, '/v1/distilled?top=3', { body: { inputs: texts } });
  const numbers = await ask(server, '/v1/distilled', { body: { inputs: [[1, 2]] } });
  await server.end();
  const served = json['predictions'] as { index: number; label: string; probability: number; top: object[] }[];
  expect(served.map(({ index }) => index)).toEqual(expected);
  expect(served[1]).toMatchObject({ index: END, label: 'end of text' });
  expect(served[0]!.top).toHaveLength(3);
  expect([numbers.status, String(numbers.json['error'])]).toEqual([400, expect.stringContaining('received numbers')]);
});
