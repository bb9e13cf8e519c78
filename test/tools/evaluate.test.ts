import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tensor } from '../../src/formats/onnx/model.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { loadRunnable } from '../../src/setup/runnable.ts';
import { evaluateFile } from '../../src/tools/evaluate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { list, modelOf } from '../support/onnx-steps.ts';
import type { Step } from '../support/onnx-steps.ts';

const folder = temporaryFolder();

/** Of a file that computes these steps on rows a, b of three classes, of which the split has no `never`. */
async function evaluated(steps: readonly Step[], labels?: readonly string[]) {
  const at = (name: string): string => path.join(folder(), name);
  const rows = (count: number, labels: readonly string[]): string =>
    `a,b,c,label\n${Array.from({ length: count }, (_, i) => `${i % 2},${(i + 1) % 2},-1,${labels[i % labels.length]!}`).join('\n')}\n`;
  await writeFile(at('train.csv'), rows(60, ['low', 'high', 'never']));
  await writeFile(at('test.csv'), rows(10, ['low', 'high']));
  await writeFile(at('r.yaml'), `name: r\ndataset: { type: csv, train: train.csv, test: test.csv, normalize: none }\nstudent: { model: mlp }\n`); // prettier-ignore
  const metadata = new Map(labels && [['labels', JSON.stringify(labels)]]);
  await writeFile(at('m.onnx'), encodeModel({ ...modelOf(['n', 3], { swap: list(1, 1, 1) }, steps), metadata }));
  return evaluateFile(at('m.onnx'), await loadRunnable(at('r.yaml')), 'test');
}

it('a class without a sample in the split has no accuracy', async () => {
  const { accuracy, perClass } = await evaluated([['Mul', ['x', 'swap']]]);
  expect(Object.values(perClass!).filter((one) => one === null)).toHaveLength(1);
  expect(perClass).toHaveProperty('never', null);
  expect(accuracy! * 2).toBeCloseTo(Object.values(perClass!).reduce<number>((sum, one) => sum + (one ?? 0), 0));
});

it('usual answers are counted in the order of the file, and what is right by the names of the classes', async () => {
  // Place 1 for a sample that is low, place 0 for one that is high.
  const steps = [['Mul', ['x', 'swap']]] as const;
  const sorted = await evaluated(steps);
  expect([sorted.accuracy, sorted.usual!.classes]).toEqual([1, [5, 5, 0]]);
  const stated = await evaluated(steps, ['never', 'low', 'high']);
  expect([stated.accuracy, stated.usual!.classes]).toEqual([0.5, [5, 5, 0]]);
});

it('answers that are NaN are no class', async () => {
  // The logarithm of -1.
  await expect(evaluated([['Log', ['x']]])).rejects.toMatchObject({
    message: expect.stringMatching(/m\.onnx: its answers to 10 of 10 samples are NaN, the first of them to sample 0$/) as string, // prettier-ignore
  });
});

it('numbers of a file that wants its input otherwise are said to be no better than nothing, with the reading that is', async () => {
  const at = (name: string): string => path.join(folder(), name);
  const rows = Array.from({ length: 100 }, (_, i) => `${i},${100 - i},${3 * i}`);
  await writeFile(at('d.csv'), `a,b,y\n${rows.join('\n')}\n`);
  const dataset = '{ type: csv, train: d.csv, label: y, task: regression }';
  await writeFile(at('r.yaml'), `name: r\ndataset: ${dataset}\nstudent: { model: mlp }\n`);
  const weights = { three: tensor('', 'float32', [2, 1], Float32Array.of(3, 0)) };
  await writeFile(at('m.onnx'), encodeModel(modelOf(['n', 2], weights, [['MatMul', ['x', 'three']]])));
  const { warnings } = await evaluateFile(at('m.onnx'), await loadRunnable(at('r.yaml')), 'validation');
  expect(warnings).toEqual([
    expect.stringMatching(
      /m\.onnx: off by 142\.8 \(RMSE\) on 10 validation samples, and the mean of the labels alone gives 84\.71; with normalize: \{scale: 1\} it is off by 0.* on them\. Set `teacher` to use normalize: \{scale: 1\}\.$/,
    ),
  ]);
});

it('a file that is not there is named with its key of the recipe', async () => {
  const at = (name: string): string => path.join(folder(), name);
  await writeFile(at('m.onnx'), encodeModel(modelOf(['n', 3], { swap: list(1, 1, 1) }, [['Mul', ['x', 'swap']]])));
  await writeFile(at('r.yaml'), 'name: r\ndataset: { type: csv, train: gone.csv }\nstudent: { model: mlp }\n');
  await expect(evaluateFile(at('m.onnx'), await loadRunnable(at('r.yaml')), 'validation')).rejects.toThrow(
    /^dataset\.train: .*gone\.csv: cannot read it: no such file or folder$/,
  );
});
