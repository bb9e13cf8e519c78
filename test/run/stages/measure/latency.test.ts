import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../../../src/formats/onnx/protobuf.ts';
import { temporaryFolder } from '../../../support/folder.ts';
import { modelOf } from '../../../support/onnx-steps.ts';
import { InterruptedError } from '../../../../src/base/errors.ts';
import type { StageContext } from '../../../../src/run/context.ts';
import type { MeasuredModels } from '../../../../src/run/stages/measure/measure.ts';
import { timeModels } from '../../../../src/run/stages/measure/latency.ts';

const folder = temporaryFolder();

it('a run that is stopped while its models are measured is not finished', async () => {
  const done: string[] = [];
  const context = {
    recipe: { name: 'r', report: { latency: { batchSizes: [1], threads: [1], seconds: 1, places: ['adb'] } } },
    data: { train: { sampleShape: [2] } },
    onEvent: () => undefined,
    done: (stage: string) => Promise.resolve(void done.push(stage)),
    signal: AbortSignal.abort(),
  } as unknown as StageContext;
  const model = { role: 'distilled', repeat: 0 };
  const exported = { model, format: 'onnx', precision: 'fp32', bytes: new Uint8Array() };
  const measured = [{ row: { model }, exported }] as unknown as MeasuredModels[];
  await expect(timeModels(context, measured)).rejects.toThrow(InterruptedError);
  expect(done).toEqual([]);
});

it('a teacher whose file has a fixed batch is timed at it, and the students beside it', async () => {
  const bytes = (batch: number | string) => encodeModel(modelOf([batch, 2], {}, [['Relu', ['x']]]));
  const onnx = path.join(folder(), 'teacher.onnx');
  await writeFile(onnx, bytes(2));
  const context = {
    recipe: {
      name: 'r',
      teacher: { onnx },
      report: { latency: { batchSizes: [1], threads: [1], seconds: 0.2, places: ['node'] } },
    },
    data: { train: { sampleShape: [2] } },
    onEvent: () => undefined,
    done: () => Promise.resolve(),
  } as unknown as StageContext;
  const model = { role: 'distilled', repeat: 0 };
  const exported = { model, format: 'onnx', precision: 'fp32', bytes: bytes('batch') };
  const measured = [
    { row: { model: { role: 'teacher' } } },
    { row: { model }, exported },
  ] as unknown as MeasuredModels[];
  const { rows } = await timeModels(context, measured);
  const sizes = [...rows].map(([name, all]) => [name, all.map(({ batchSize }) => batchSize).sort()]);
  expect(sizes).toEqual([
    ['teacher', [2]],
    ['distilled', [1, 2]],
  ]);
});
