import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { median } from '../../src/base/math/statistics.ts';
import { openText } from '../../src/data/text/open.ts';
import { runRecipe } from '../../src/run/run.ts';
import { openTflite } from '../../src/runtime/litert.ts';
import type { TfliteRuntime } from '../../src/runtime/litert.ts';
import { sessionOptions } from '../../src/runtime/onnxruntime/engine.ts';
import { ortTensor, OnnxSession } from '../../src/runtime/onnxruntime/session.ts';
import { makeRecipe } from '../../src/setup/make-recipe.ts';
import { ROOT } from '../support/built.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runPython } from './python.ts';

const folder = temporaryFolder();
const at = (name: string): string => path.join(folder(), name);

/** Tokens that the student reads, as the recipe in docs/text-classifier.md says. */
const LENGTH = 48;
/** Texts of test that are timed. */
const TIMED = 200;

/** The first sample of docs/text-classifier.md in this language. */
function sample(language: string): string {
  const text = readFileSync(path.join(ROOT, 'docs/text-classifier.md'), 'utf8');
  return new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(text)![1]!;
}

/** A model that answers the tokens of a text. */
type Reader = (tokens: readonly number[]) => unknown;

/** The teacher reads the tokens of a text and no padding, which makes it as fast as it can be. */
function teacherReader(bytes: Uint8Array): Reader {
  const session = new OnnxSession(bytes, sessionOptions('cpu', { threads: 1 }));
  const tensor = (values: readonly number[]) =>
    ortTensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  return (tokens) => {
    const [input_ids, ones, zeros] = [tensor(tokens), tensor(tokens.map(() => 1)), tensor(tokens.map(() => 0))];
    return session.run({ input_ids, attention_mask: ones, token_type_ids: zeros }, { logits: null });
  };
}

const filledUp = (tokens: readonly number[]): Float32Array =>
  Float32Array.from({ length: LENGTH }, (_, i) => tokens[i] ?? 0);

function onnxReader(bytes: Uint8Array): Reader {
  const session = new OnnxSession(bytes, sessionOptions('cpu', { threads: 1 }));
  const [input, output] = [session.inputs[0]!.name, session.outputs[0]!.name];
  return (tokens) => session.run({ [input]: ortTensor('float32', filledUp(tokens), [1, LENGTH]) }, { [output]: null });
}

async function tfliteReader(bytes: Uint8Array, runtime: TfliteRuntime): Promise<Reader> {
  const session = await openTflite(bytes, { runtime });
  const input = session.inputs[0]!.name;
  return (tokens) => session.run({ [input]: filledUp(tokens) });
}

/** Median milliseconds of each reader for an answer to one text; they take turns, text by text. */
async function timed(
  readers: Readonly<Record<string, Reader>>,
  texts: readonly (readonly number[])[],
): Promise<Record<string, number>> {
  const times = new Map(Object.keys(readers).map((name) => [name, [] as number[]]));
  for (let round = 0; round < 4; round++) {
    for (const tokens of texts) {
      for (const [name, read] of Object.entries(readers)) {
        // The caches hold what the reader before has left there: it is the second answer that is timed.
        for (let answer = 0; answer < 2; answer++) {
          const start = process.hrtime.bigint();
          const given = read(tokens);
          if (given instanceof Promise) await given;
          if (answer > 0 && round > 0) times.get(name)!.push(Number(process.hrtime.bigint() - start) / 1e6);
        }
      }
    }
  }
  return Object.fromEntries(Array.from(times, ([name, all]) => [name, median(all)]));
}

it('a transformer of PyTorch teaches a student of 200 kB in int8, 20 times as fast, as docs/text-classifier.md says', async () => {
  const pytorch = runPython('text_student.py', folder(), `${LENGTH}`) as {
    accuracy: number;
    counts: object;
  };
  writeFileSync(at('export.py'), `import os, sys\nos.chdir(sys.argv[1])\n${sample('python')}\nprint('{}')`);
  runPython(at('export.py'), folder());
  const recipe = parse(sample('yaml')) as Record<string, unknown>;
  const quick = {
    threads: 1,
    report: { latency: { batchSizes: [1], threads: [1], seconds: 4 } },
  };
  const { report, folder: run } = await runRecipe(makeRecipe({ ...recipe, ...quick }, folder()), { out: folder() });

  const model = (id: string) => report.models.find((one) => one.id === id)!;
  const [teacher, twin, student] = [model('teacher'), model('scratch'), model('distilled-int8-tflite')];
  const { encode } = await openText({
    column: 'text',
    tokenizer: at('tokenizer.json'),
    length: LENGTH,
  });
  const texts = readFileSync(at('test.jsonl'), 'utf8')
    .split('\n')
    .slice(0, TIMED)
    .map((line) => [...encode([(JSON.parse(line) as { text: string }).text]).ids].filter((id) => id !== 0));
  const file = (name: string): Uint8Array => readFileSync(path.join(run, 'exports', name));
  const { teacher: slow, ...ms } = await timed(
    {
      teacher: teacherReader(readFileSync(at('teacher.onnx'))),
      onnxruntime: onnxReader(file('distilled-int8.onnx')),
      'litert-wasm': await tfliteReader(file('distilled-int8.tflite'), 'litert'),
      'tflite-native': await tfliteReader(file('distilled-int8.tflite'), 'native'),
    },
    texts,
  );
  const reported = student.latency.map(({ runtime, p50Ms }) => [runtime, teacher.latency[0]!.p50Ms / p50Ms] as const);
  const figures = {
    ...{
      ...pytorch.counts,
      bytes: student.sizeBytes,
      teacher: teacher.score.test,
    },
    ...{
      student: student.score.test,
      twin: twin.score.test,
      verdict: report.verdict?.sentence,
    },
    ...{
      teacherMs: slow,
      studentMs: ms,
      reportedRatios: Object.fromEntries(reported),
    },
  };
  console.log(JSON.stringify(figures, null, 1));

  // One text in a thousand may fall on the other side of a rounding.
  expect(Math.abs(teacher.score.test! - pytorch.accuracy)).toBeLessThan(0.002);
  expect(teacher.score.test).toBeGreaterThan(0.62);
  expect(student.sizeBytes).toBeLessThanOrEqual(200_000);
  // The tokenizer is trained anew and differs each time, and with it the teacher; a single student differs by two points from the next.
  expect(model('distilled').repeats!.mean).toBeGreaterThan(teacher.score.test! - 0.05);
  expect(student.score.test).toBeGreaterThan(model('distilled').score.test! - 0.01);
  expect(report.verdict?.result).toBe('BEATS');
  for (const [runtime, took] of Object.entries(ms)) expect([runtime, slow! / took >= 20]).toEqual([runtime, true]);
  expect(reported.map(([runtime, ratio]) => [runtime, ratio >= 20])).toEqual([
    ['litert-wasm', true],
    ['tflite-native', true],
  ]);
}, 900_000);
