import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { RandomStream } from '../../src/base/random.ts';
import { viewOf } from '../../src/data/batches/batches.ts';
import { decodeModel, encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { Model } from '../../src/formats/onnx/model.ts';
import { loadData } from '../../src/setup/data.ts';
import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { InferenceModel } from '../../src/runtime/inference.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { DIGITS, QUICK } from '../support/digits.ts';
import { temporaryFolder } from '../support/folder.ts';
import type { Case } from './python.ts';
import { checkWithPython } from './python.ts';

const folder = temporaryFolder();
const N = 256;

/** An int8 file of a student that was trained on digits, and every 8-bit activation that ONNX Runtime gives for the test split. */
async function int8Case(name: string, recipe: object, file: string): Promise<Case> {
  const loaded = makeRecipe(
    {
      name,
      dataset: DIGITS,
      distill: { epochs: 4, batchSize: 64, optimizer: { learningRate: 0.01 } },
      quantize: { samples: 128, maxDrop: 100 },
      ...QUICK,
      ...recipe,
    },
    folder(),
  );
  await runRecipe(loaded, { out: folder() });
  const bytes = new Uint8Array(await readFile(path.join(folder(), name, 'exports', file)));
  const { test } = await loadData(loaded.recipe);
  const data = viewOf(test!, new RandomStream('rows').permutation(test!.count).slice(0, N), {
    ...{ seed: 0, view: 0, augment: [] },
  });
  const model = decodeModel(bytes, file);
  const shape = [N, ...test!.sampleShape];
  const input = model.graph.inputs[0]!.name;
  const session = new InferenceModel(encodeModel(withIntegers(model)), file, sessionOptions('cpu', { threads: 1 }));
  const results = await session.run({ [input]: { data, shape } }, integersOf(model));
  session.dispose();
  const outputs = Object.entries(results).map(([key, value]) => [
    key,
    { dtype: 'uint8' as const, shape: value.shape, data: value.data },
  ]);
  return {
    ...{ name, bytes, tolerance: 0, inputs: { [input]: { dtype: 'float32', shape, data } } },
    outputs: Object.fromEntries(outputs) as Case['outputs'],
  };
}

/** What the activations are called as integers. */
function integersOf({ graph }: Model): string[] {
  return graph.nodes.flatMap(({ op, outputs }) => (op === 'QuantizeLinear' ? outputs : []));
}

function withIntegers(model: Model): Model {
  const more = integersOf(model).map((name) => ({ name, dtype: 'uint8' as const }));
  return { ...model, graph: { ...model.graph, outputs: [...model.graph.outputs, ...more] } };
}

it('int8 files give the integers that NumPy computes from their definition, those of pruned models too', async () => {
  const pruned = {
    student: { model: 'ds-cnn', width: 0.5 },
    prune: { amount: 0.5, target: 'macs', multipleOf: 4, finetune: { epochs: 1 }, maxDrop: 100 },
  };
  const cases = [
    await int8Case('int8', { student: { model: 'resnet', depth: 8, width: 0.5 } }, 'scratch-int8.onnx'),
    await int8Case('pruned-int8', { ...pruned, prune: [pruned.prune] }, 'pruned-1-int8.onnx'),
  ];
  for (const { outputs } of cases) expect(Object.keys(outputs).length).toBeGreaterThan(7);
  const verdicts = checkWithPython('simulate_check.py', '.onnx', cases);
  console.info(JSON.stringify(verdicts));
  expect(verdicts.map(({ problem }) => problem)).toEqual(['', '']);
  for (const { within } of verdicts) expect(within).toBeGreaterThanOrEqual(0.999);

  // Integers two steps off are found out.
  const [good] = cases;
  const [key, last] = Object.entries(good!.outputs).at(-1)!;
  const data = (last.data as Uint8Array).map((value) => (value > 127 ? value - 2 : value + 2));
  const [verdict] = checkWithPython('simulate_check.py', '.onnx', [
    { ...good!, outputs: { [key]: { ...last, data } } },
  ]);
  expect(verdict!.problem).toMatch(/% of the values lie within one step/);
});
