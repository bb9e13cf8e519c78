import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { sha256 } from '../../src/base/bytes.ts';
import { UserError } from '../../src/base/errors.ts';
import type { OnEvent } from '../../src/base/events.ts';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { checkData } from '../../src/run/check-data.ts';
import type { RunOptions } from '../../src/run/options.ts';
import { runRecipe } from '../../src/run/run.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { inferenceGraph } from '../../src/ship/export.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';

const folder = temporaryFolder();

/** Digits by what is left when they are divided by three: other classes than those that the file was trained on. */
async function writeThirds(): Promise<void> {
  const [header, ...rows] = (await readFile(DIGITS.train, 'utf8')).trimEnd().split('\n');
  const thirds = rows.slice(0, 400).map((row) => row.replace(/\d+$/, (digit) => `rest${Number(digit) % 3}`));
  await writeFile(path.join(folder(), 'thirds.csv'), [header, ...thirds, ''].join('\n'));
}

const THIRDS = { ...DIGITS, train: 'thirds.csv', test: undefined, testFraction: 0.2 };
const DISTILL = { epochs: 4, batchSize: 64, optimizer: { learningRate: 0.01 } };

function follow(recipe: object, options: RunOptions = {}) {
  return runRecipe(makeRecipe({ distill: DISTILL, ...QUICK, ...recipe }, folder()), { out: folder(), ...options });
}

/** SHA-256 of every exported model, by file name. */
async function bytesOf(run: string): Promise<Record<string, string>> {
  const exported = path.join(run, 'exports');
  const names = (await readdir(exported)).filter((name) => /\.(onnx|tflite)$/.test(name)).sort();
  const hashes = names.map(async (name) => [name, sha256(await readFile(path.join(exported, name)))] as const);
  return Object.fromEntries(await Promise.all(hashes));
}

it('a file that was trained here is trained on for other classes, narrowed, masked, quantized, shipped, and resumed to the same bytes', async () => {
  await writeThirds();
  const student = { model: 'mlp', hidden: [24] };
  const first = await follow({ name: 'first', dataset: DIGITS, student });
  await copyFile(path.join(first.folder, first.report.models[0]!.file!), path.join(folder(), 'student.onnx'));
  const recipe = {
    name: 'thirds',
    dataset: THIRDS,
    student: { onnx: 'student.onnx', head: 'replace' },
    prune: [
      { type: 'channels', amount: 0.3, multipleOf: 4, importance: 'taylor', maxDrop: 100, finetune: { epochs: 1 } },
      { type: 'channels', amount: 0.3, multipleOf: 32, maxDrop: 100, finetune: { epochs: 0 } },
      { type: 'magnitude', amount: 0.3, maxDrop: 100, finetune: { epochs: 1 } },
    ],
    quantize: [{ scheme: 'int8', method: 'qat', maxDrop: 100, qat: { epochs: 1 } }],
    export: ['onnx', 'tflite'],
  };
  const whole = await follow(recipe);
  const [scratch] = whole.report.models;
  expect(scratch!.score.validation).toBeGreaterThan(0.6);
  const notes = whole.report.notes.join('\n');
  expect(notes).toMatch(/the student begins from the 4 weights of student\.onnx, 1635 numbers/);
  expect(notes).toMatch(/student\.onnx: its last layer \S+ is drawn anew: 3 outputs instead of 10/);
  // What a step could not make smaller is in the report.
  expect(notes).toMatch(/prune-2: left \S+ alone: 16 channels cannot become fewer and stay a multiple of 32/);
  expect(notes).toMatch(/prune-3: 30\.0 % of \d+ weights are zero/);
  expect(whole.report.models.map(({ format, precision }) => `${format} ${precision}`)).toEqual(
    expect.arrayContaining(['onnx fp32', 'tflite fp32', 'onnx int8', 'tflite int8']),
  );
  for (const { top1Agreement } of whole.report.parity) expect(top1Agreement).toBeGreaterThan(0.95);

  const expected = await bytesOf(whole.folder);
  // The second step makes no model.
  expect(Object.keys(expected)).toHaveLength(6);
  const stop = new AbortController();
  const onEvent: OnEvent = (event) => {
    if (event.type === 'epoch' && event.stage === 'scratch') stop.abort();
  };
  const out = path.join(folder(), 'stopped');
  await expect(follow(recipe, { out, signal: stop.signal, onEvent })).rejects.toThrow('stopped scratch');
  const resumed = await follow(recipe, { out });
  expect(await bytesOf(resumed.folder)).toEqual(expected);
  // Another file in its place is not what the run began with.
  await writeFile(path.join(folder(), 'student.onnx'), untrained());
  await expect(follow(recipe)).rejects.toThrow(/student\.onnx: \S+student\.onnx has changed since/);
});

/** A file that answers for the ten digits. */
function untrained(): Uint8Array {
  useLazyBackend(evaluator);
  const network = layersNetwork(buildModel('mlp', { inputShape: [8, 8, 1], classes: 10, seed: 1, options: {} }));
  const weights = new Map(
    Object.entries(network.state).map(([name, variable]) => {
      const data = variable.dataSync() as Float32Array;
      return [name, { type: { dtype: 'float32', shape: variable.shape } as const, data }];
    }),
  );
  return encodeModel(lowerToOnnx(inferenceGraph({ network, weights }, [])));
}

describe('refused before anything is trained', () => {
  const refused = async (student: object, rest: object = {}): Promise<UserError> => {
    await writeThirds();
    await writeFile(path.join(folder(), 'digits.onnx'), untrained());
    const recipe = {
      name: 'r',
      dataset: THIRDS,
      student: { onnx: 'digits.onnx', ...student },
      distill: DISTILL,
      ...QUICK,
      ...rest,
    };
    return Promise.resolve()
      .then(() => checkData(makeRecipe(recipe, folder()).recipe))
      .then(
        () => Promise.reject(new Error('nothing was refused')),
        (error: unknown) => error as UserError,
      );
  };

  it.each([
    [
      {},
      {},
      /expected logits \[batch, 3\] for the 3 classes of the data, received logits \[batch, 10\]; its last layer \S+ has 10/,
    ],
    [{ head: 'replace', freeze: ['nothing*'] }, {}, /student\.freeze: nothing\* fits no weight/],
    [{ head: 'replace', batchNorm: 'train' }, {}, /student\.batchNorm: \S+ has no batch norms/],
    [
      { head: 'replace', freeze: ['*'] },
      { prune: [{ type: 'channels', amount: 0.5 }] },
      /prune: the student \S+ has no channels that can be removed: dense\S+ is frozen/,
    ],
    [
      { model: 'mlp' },
      {},
      /student: expected exactly one of model, module, tfjs, onnx, keras, folder, received model and onnx/,
    ],
  ])('%j %j', async (student, rest, message) => {
    const error = await refused(student, rest);
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(message);
  });
});
