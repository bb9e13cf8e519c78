import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import type { ModelRow, Report } from '../../src/report/types.ts';
import { besideOriginal, besideText, speedsOf } from '../../src/tools/compress/within.ts';
import type { Speed } from '../../src/tools/compress/within.ts';
import { example } from '../report/example.ts';
import { temporaryFolder } from '../support/folder.ts';
import { floats, modelOf } from '../support/onnx-steps.ts';

const folder = temporaryFolder();
const BUDGET = { size: 4, latency: 2, drop: 1 };

const [teacher] = example.models;
const row = (file: string, precision: 'fp32' | 'int8', sizeBytes: number): ModelRow => ({
  ...teacher!,
  ...{ id: file, file, precision, sizeBytes, format: file.endsWith('onnx') ? 'onnx' : 'tflite' },
  model: { role: 'distilled', repeat: 0 },
});
const { sizeBytes: whole } = teacher!;
const report: Report = {
  ...example,
  models: [
    teacher!,
    row('float.onnx', 'fp32', whole),
    row('int8.onnx', 'int8', whole / 8),
    row('float.tflite', 'fp32', whole),
    row('int8.tflite', 'int8', whole / 9),
  ],
};

const judged = (speeds: Readonly<Record<string, Speed>>) => {
  const all = besideOriginal(report, BUDGET, new Map(Object.entries(speeds)));
  const verdicts = Object.fromEntries(all.map(({ file, verdict }) => [file, verdict]));
  return { verdicts, text: besideText(report, all, BUDGET, 'run') };
};
const speed = (factor: number, low: number, high: number): Speed => ({ factor, interval: [low, high] });

describe('the verdict on a compression', () => {
  it('is by the whole interval of the speed beside the original', () => {
    expect(judged({ 'int8.onnx': speed(2.4, 2.2, 2.6) }).verdicts).toMatchObject({ 'int8.onnx': 'within' });
    expect(judged({ 'int8.onnx': speed(1.7, 1.5, 1.9) }).verdicts).toMatchObject({ 'int8.onnx': 'beyond' });
    expect(judged({ 'int8.onnx': speed(2.1, 1.6, 2.4) }).verdicts).toMatchObject({ 'int8.onnx': 'not decided' });
    expect(judged({ 'int8.onnx': { factor: 3, interval: null } }).verdicts).toMatchObject({
      'int8.onnx': 'not decided',
    });
  });

  it('names the file that is within, and what is not decided, with what to do', () => {
    const { text, verdicts } = judged({ 'int8.onnx': speed(2.1, 1.6, 2.4) });
    expect(verdicts).toEqual({
      ...{ 'float.onnx': 'beyond', 'float.tflite': 'beyond' },
      ...{ 'int8.onnx': 'not decided', 'int8.tflite': 'not decided' },
    });
    expect(text).toContain('int8.onnx: 8.0× smaller, 2.1× (1.6 to 2.4) as fast in ONNX Runtime, 0.00 points');
    expect(text).toContain('int8.tflite: 9.0× smaller, not timed in native TensorFlow Lite, 0.00 points');
    expect(text).toMatch(/\nnot decided by the budget of 4× smaller, .*: int8\.tflite, int8\.onnx; times differ too much .*quiet machine; native TensorFlow Lite is timed where `koffi`/); // prettier-ignore
    expect(text).not.toMatch(/\nwithin the budget|no file keeps/);
    const both = judged({ 'int8.onnx': speed(2.4, 2.2, 2.6), 'int8.tflite': speed(0.64, 0.6, 0.7) });
    expect(both.text).toContain(
      'int8.tflite: 9.0× smaller, 0.6× (0.6 to 0.7) as fast as its float32 TFLite file in native',
    );
    expect(both.text).toMatch(/\nwithin the budget of 4× smaller, .*: run\/int8\.onnx\n$/);
    const none = judged({ 'int8.onnx': speed(1, 0.9, 1.1), 'int8.tflite': speed(0.64, 0.6, 0.7) });
    expect(none.text).toMatch(/\nno file keeps within the budget of .*at most 1 points of accuracy lost\n$/);
    const masks: Report = { ...report, dataset: { ...report.dataset, task: 'segmentation' } };
    expect(besideText(masks, [], BUDGET, 'run')).toContain('at most 1 points of mean IoU lost');
  });

  it('times ONNX files in turns with the original in ONNX Runtime', async () => {
    const net = (width: number): Uint8Array =>
      encodeModel(modelOf(['n', 256], { a: floats(256, width), b: floats(width, 16) }, [['MatMul', ['x', 'a']], ['MatMul', ['y0', 'b']]])); // prettier-ignore
    await writeFile(path.join(folder(), 'float.onnx'), net(4096));
    await writeFile(path.join(folder(), 'int8.onnx'), net(64));
    const models = report.models.filter(({ format }) => format === 'onnx');
    const original = { name: 'm.onnx', bytes: net(4096), sampleShape: [256] };
    const speeds = await speedsOf({ ...report, models }, folder(), original, { seconds: 1 });
    expect([...speeds.keys()]).toEqual(['float.onnx', 'int8.onnx']);
    // 64 times fewer products than the original, beside as many: a busy machine does not turn that around.
    expect(speeds.get('int8.onnx')!.factor).toBeGreaterThan(2 * speeds.get('float.onnx')!.factor);
  });
});
