import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';
import { converted, noted, zooFolder } from './zoo.ts';
import type { Found } from './zoo.ts';
import { trainingTable } from './zoo-table.ts';
import { answered, arraysOf, trained } from './zoo-training.ts';
import type { Arrays, Form, FormResult, Lesson, Result, Trained } from './zoo-training.ts';

interface Written {
  readonly labels: Lesson['labels'];
  readonly found: Found;
  readonly forms: readonly Form[];
}

const NETS = [
  ...['resnet18', 'mobilenet-v2', 'mobilenet-v3-small', 'efficientnet-b0', 'shufflenet-v2', 'regnet-y', 'convnext'],
  ...['vit', 'squeezenet', 'u-net', 'two-heads', 'lstm', 'lstm-both-ways', 'gru', 'encoder', 'audio'],
];

const { folder, close } = zooFolder();
const results: Result[] = [];

beforeAll(() => useLazyBackend(evaluator));
afterAll(() => {
  console.log(trainingTable(results));
  close();
});

async function measured(name: string): Promise<Result> {
  const written = await noted(folder, `${name}.written.json`, () => runPython('zoo_train.py', folder, name) as Written);
  const forms: FormResult[] = [];
  for (const form of written.forms) forms.push(await formResult(name, form, written.labels));
  const { found } = (await converted(folder, written.found)).measured;
  const sqnr = Object.entries(found).map(([kind, one]) => [kind, one.sqnr]);
  return { name, forms, sqnr: Object.fromEntries(sqnr) as Result['sqnr'] };
}

/** Every part is noted for itself: some nets take minutes for each. */
async function formResult(name: string, form: Form, labels: Lesson['labels']): Promise<FormResult> {
  const at = (file: string): string => path.join(folder, file);
  const part = <T>(of: string, make: () => Promise<T>): Promise<T | string> =>
    noted(folder, `${name}-${form.exporter}.${of}.json`, () =>
      make().catch((error: unknown) => {
        if (error instanceof UserError) return error.message;
        throw error;
      }),
    );
  const numbers = (): Arrays => arraysOf(at(form.numbers));
  const taught = (file: string, arrays: Arrays, adam?: Form['adam']): Promise<Trained> =>
    trained(at(file), arrays, { labels, ...(adam && { adam }) });
  const { adam } = form;
  const steps = await part('adam', () => taught(adam.file, arraysOf(at(adam.numbers)), adam));
  return {
    form,
    answers: await part('answers', () => answered(at(form.open), numbers())),
    trained: await part('trained', () => taught(form.open, numbers())),
    fixedAnswers: await part('fixed-answers', () => answered(at(form.fixed), numbers())),
    fixed: await part('fixed', () => taught(form.fixed, numbers())),
    adam: typeof steps === 'string' ? undefined : steps.adam,
  };
}

/** A batch that is fixed, and that something in the file depends on. */
const FIXED = /fixed batch size 8, which cannot be left open: /;

describe.each(NETS)('%s', (name) => {
  it('gives the logits, the gradient of every weight and the weights after five steps of Adam that PyTorch gives', async () => {
    const result = await measured(name);
    results.push(result);
    for (const { form, answers, trained: ofOpen, fixedAnswers, fixed, adam } of result.forms) {
      // Where an input is near a kink, rounding decides which gradients PyTorch itself gives.
      expect(form.kink ?? 1).toBeGreaterThan(1e-4);
      expect(form.flipped).toBe(0);
      expect(answers).toBeLessThan(1e-4);
      expect(ofOpen).toBeInstanceOf(Object);
      expect(adam).toBeLessThan(1e-3);
      expect(fixedAnswers).toBeLessThan(1e-4);
      if (typeof fixed === 'string') expect(fixed).toMatch(FIXED);
      for (const errors of [ofOpen, fixed]) {
        if (typeof errors === 'string') continue;
        expect([form.exporter, errors.unmatched]).toEqual([form.exporter, []]);
        expect(errors.logits).toBeLessThan(1e-4);
        expect(errors.gradient).toBeLessThan(1e-4);
      }
    }
    const { sqnr } = result;
    for (const [ours, theirs] of [['int8.onnx', 'ort.onnx'], ['int8.tflite', 'litert.tflite']] as const) {
      expect(sqnr[ours]).toBeDefined();
      expect(sqnr[ours]).toBeGreaterThan(Math.min(30, (sqnr[theirs] ?? 0) - 4));
    } // prettier-ignore
  }, 1_200_000);
});
