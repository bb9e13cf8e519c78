import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ModelRow, Report } from '../../src/report/types.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inProcess } from '../support/in-process.ts';
import { writeData, writeRecipe } from '../support/tiny.ts';

const folder = temporaryFolder();

async function limbeck(...args: string[]): Promise<void> {
  const { code, stderr } = await inProcess(folder(), ...args);
  if (code !== 0) throw new Error(stderr);
}

const report = async (run: string) =>
  JSON.parse(await readFile(path.join(folder(), 'checkpoints', run, 'report.json'), 'utf8')) as Report;
const times = ({ models }: Report, which: (model: ModelRow) => boolean) =>
  new Set(models.filter(which).flatMap(({ latency }) => latency.map(({ measuredAt }) => measuredAt)));

describe('a run that is timed again', () => {
  it('has teacher and students of one measurement, with what it was measured with', async () => {
    await writeData(folder());
    await writeRecipe(folder());
    await limbeck('run', 'tiny.yaml', '--quiet');
    await limbeck('export', 'tiny', '--model', 'distilled', '--format', 'onnx', '--to', 'teacher.onnx');
    await writeFile(
      path.join(folder(), 'given.yaml'),
      `name: given
dataset: { type: csv, train: data.csv, testFraction: 0.2 }
teacher: { onnx: teacher.onnx, minAccuracy: 0.5 }
student: { model: mlp, hidden: [2] }
distill: { epochs: 1, batchSize: 16 }
report: { latency: { seconds: 0.4, batchSizes: [1, 8], threads: [1] } }
`,
    );
    await limbeck('run', 'given.yaml', '--quiet');
    const before = await report('given');
    expect(times(before, () => true)).toEqual(new Set([undefined]));

    await limbeck('bench', 'given', '--seconds', '0.4', '--batch', '1', '8');
    const after = await report('given');
    const [teacher, students] = [
      times(after, ({ id }) => id === 'teacher'),
      times(after, ({ id }) => id !== 'teacher'),
    ];
    expect(teacher.size).toBe(1);
    expect(students).toEqual(teacher);
    expect(after.remeasured).toEqual([
      {
        measuredAt: [...teacher][0],
        versions: before.measurement!.versions,
        loadAverage: expect.any(Number) as number,
        skipped: [],
      },
    ]);

    // Some of the settings again: the others are of the measurement before, which is still named.
    await limbeck('bench', 'given', '--seconds', '0.4', '--batch', '8');
    expect(await report('given')).toMatchObject({ remeasured: [after.remeasured![0], { skipped: [] }] });
    await limbeck('bench', 'given', '--seconds', '0.4', '--batch', '1');
    const third = await report('given');
    expect(third.remeasured).toHaveLength(2);
    expect(third.remeasured![0]).not.toEqual(after.remeasured![0]);
  });
});
