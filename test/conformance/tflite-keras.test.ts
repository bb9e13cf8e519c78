import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { UserError } from '../../src/base/errors.ts';
import { loadTfjsModel } from '../../src/files/tfjs-file.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';

interface LayerCase {
  readonly name: string;
  readonly x: number[];
  readonly y: readonly number[];
}

const folder = mkdtempSync(path.join(tmpdir(), 'keras-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const floats = (file: string): Float32Array => new Float32Array(new Uint8Array(readFileSync(file)).buffer);

/** '' if the layer gives what Keras gives, 'refused: …' if it is not read, else what is wrong. */
async function outcome(number: number, { x, y }: LayerCase): Promise<string> {
  const place = path.join(folder, `${number}`);
  let result: tf.Tensor;
  try {
    const model = await loadTfjsModel(path.join(place, 'model.json'));
    result = model.predict(tf.tensor(floats(path.join(place, 'x.bin')), x)) as tf.Tensor;
  } catch (error) {
    return error instanceof UserError ? `refused: ${error.message.split('model.json: ')[1]!}` : String(error);
  }
  if (result.shape.join() !== y.join()) return `gives [${result.shape.join(', ')}], Keras [${y.join(', ')}]`;
  const [actual, expected] = [await result.data(), floats(path.join(place, 'y.bin'))];
  const worst = expected.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0);
  return worst < 1e-4 * Math.max(1, ...expected.map(Math.abs)) ? '' : `differs by ${worst}`;
}

it('a Keras layer in a model.json gives what it gives in Keras, or is refused by its name and key', async () => {
  useLazyBackend(evaluator);
  const cases = runPython('keras_layers.py', folder) as LayerCase[];
  const outcomes: string[] = [];
  for (const [number, one] of cases.entries()) outcomes.push(await outcome(number, one));
  const said = outcomes.map((text, i) => [cases[i]!.name, text] as const);
  const refused = said.filter(([, text]) => text.startsWith('refused'));
  console.log(
    `${cases.length} files of Keras layers: ${outcomes.filter((text) => text === '').length} read, ${refused.length} refused.\n` +
      [...new Set(refused.map(([, text]) => text))].join('\n'),
  );
  expect(said.filter(([, text]) => text !== '' && !text.startsWith('refused'))).toEqual([]);
  expect(outcomes.filter((text) => text === '').length).toBeGreaterThan(150);
});
