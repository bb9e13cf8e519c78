import { InterruptedError } from '../../../src/base/errors.ts';
import type { StageContext } from '../../../src/run/context.ts';
import type { Measured } from '../../../src/run/stages/measure.ts';
import { timeModels } from '../../../src/run/stages/latency.ts';

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
  const measured = [{ row: { model }, exported }] as unknown as Measured[];
  await expect(timeModels(context, measured)).rejects.toThrow(InterruptedError);
  expect(done).toEqual([]);
});
