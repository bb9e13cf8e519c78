import { runRecipe } from '../../src/run/run.ts';
import { makeRecipe } from '../../src/setup/runnable.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();

interface Teacher {
  readonly accuracy: number;
  readonly train: number;
  readonly test: number;
  readonly vocabulary: number;
}

const LENGTH = 48;

it('a transformer of PyTorch teaches raw texts to a student of at most 200 kB in int8', async () => {
  const teacher = runPython('text_student.py', folder()) as Teacher;
  const recipe = {
    ...{ name: 'texts', threads: 1, export: ['onnx', 'tflite'], report: { latency: { seconds: 1 } } },
    dataset: {
      ...{ type: 'jsonl', train: 'train.jsonl', test: 'test.jsonl', validation: 0.1 },
      text: { column: 'text', tokenizer: 'tokenizer.json', length: LENGTH },
    },
    teacher: { onnx: 'teacher.onnx' },
    student: { model: 'embedding-bag', size: 32 },
    distill: { epochs: 15, batchSize: 32, optimizer: { learningRate: 0.01 } },
    quantize: [{ scheme: 'int8', maxDrop: 2 }],
  };
  const { report } = await runRecipe(makeRecipe(recipe, folder()), { out: folder() });
  const rows = Object.fromEntries(
    report.models.map(({ id, score, latency, sizeBytes }) => [
      id,
      { accuracy: score.test!, ms: latency.find(({ batchSize }) => batchSize === 1)?.p50Ms, kB: sizeBytes / 1000 },
    ]),
  );
  console.log(JSON.stringify({ ...teacher, verdict: report.verdict?.result }), JSON.stringify(rows, null, 1));
  // The teacher reads our ids as its own tokenizer's: PyTorch has the same accuracy.
  expect(rows['teacher']!.accuracy).toBeCloseTo(teacher.accuracy, 2);
  expect(teacher.accuracy).toBeGreaterThan(0.6);
  const int8 = rows['distilled-int8-tflite']!;
  expect(int8.kB).toBeLessThan(200);
  expect(int8.accuracy).toBeGreaterThan(rows['teacher']!.accuracy - 0.01);
  for (const id of ['distilled', 'distilled-int8', 'distilled-int8-tflite'])
    expect([id, rows['teacher']!.ms! / rows[id]!.ms! > 20]).toEqual([id, true]);
});
