import path from 'node:path';
import { UserError } from '../../src/base/errors.ts';
import { evaluator } from '../../src/runtime/evaluator.ts';
import { useLazyBackend } from '../../src/trace/use.ts';
import { runPython } from './python.ts';
import { converted, noted, zooFolder } from './zoo.ts';
import type { Found } from './zoo.ts';
import { trainingTable } from './zoo-table.ts';
import { answered, arraysOf, trained } from './zoo-training.ts';
import type { Form, Lesson, Result } from './zoo-training.ts';

interface Written {
  readonly labels: Lesson['labels'];
  readonly found: Found;
  readonly forms: readonly Form[];
}

const NETS = [
  ...['resnet18', 'mobilenet-v2', 'mobilenet-v3-small', 'efficientnet-b0', 'shufflenet-v2', 'regnet-y', 'convnext'],
  ...['vit', 'squeezenet', 'u-net', 'two-heads', 'lstm', 'gru', 'encoder', 'audio'],
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
  const forms = await noted(folder, `${name}.trained.json`, () => trainedForms(written));
  const { found } = (await converted(folder, written.found)).measured;
  const sqnr = Object.entries(found).map(([kind, one]) => [kind, one.sqnr]);
  return { name, forms, sqnr: Object.fromEntries(sqnr) as Result['sqnr'] };
}

async function trainedForms({ forms, labels }: Written): Promise<Result['forms']> {
  const at = (file: string): string => path.join(folder, file);
  const all: Result['forms'][number][] = [];
  for (const form of forms) {
    const [arrays, lesson] = [arraysOf(at(form.numbers)), { labels, rate: form.rate }];
    const fixedTrained = await trained(at(form.fixed), arrays, lesson).catch((error: unknown) => {
      if (error instanceof UserError) return error.message;
      throw error;
    });
    all.push({
      ...{ form, open: await answered(at(form.open), arrays), fixed: await answered(at(form.fixed), arrays) },
      ...{ trained: await trained(at(form.open), arrays, lesson), fixedTrained },
    });
  }
  return all;
}

describe.each(NETS)('%s', (name) => {
  it('gives the logits, the gradient of every weight and the weights after five steps of Adam that PyTorch gives', async () => {
    const result = await measured(name);
    results.push(result);
    for (const { form, open, fixed, trained: ofOpen, fixedTrained } of result.forms) {
      // Where an input is near a kink, rounding decides which gradients PyTorch itself gives.
      expect(form.kink ?? 1).toBeGreaterThan(1e-4);
      expect(form.flipped).toBe(0);
      expect(Math.max(open, fixed)).toBeLessThan(1e-4);
      if (typeof fixedTrained === 'string')
        expect(fixedTrained).toMatch(/fixed batch size 4, which cannot be left open: /);
      for (const errors of typeof fixedTrained === 'string' ? [ofOpen] : [ofOpen, fixedTrained]) {
        expect([form.exporter, errors.unmatched]).toEqual([form.exporter, []]);
        expect(errors.logits).toBeLessThan(1e-4);
        expect(errors.gradient).toBeLessThan(1e-4);
        expect(errors.adam).toBeLessThan(1e-3);
      }
    }
    const { sqnr } = result;
    for (const [ours, theirs] of [['int8.onnx', 'ort.onnx'], ['int8.tflite', 'litert.tflite']] as const) {
      expect(sqnr[ours]).toBeDefined();
      expect(sqnr[ours]).toBeGreaterThan(Math.min(30, (sqnr[theirs] ?? 0) - 4));
    } // prettier-ignore
  }, 1_200_000);
});
