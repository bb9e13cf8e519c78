import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { measureLatency } from '../../src/measure/latency.ts';
import { median } from '../../src/measure/statistics.ts';
import { sourceOf } from '../../src/measure/variants.ts';
import { temporaryFolder } from '../support/folder.ts';
import { inferenceGraph, trainedModel } from '../formats/tflite/models.ts';
import { useCpu } from '../support/cpu.ts';
import { pythonPath } from './python.ts';

beforeAll(useCpu);

const folder = temporaryFolder();
const [BATCH, THREADS] = [8, 1];
const TURNS = 12;
const TURN_MS = 200;
/** Other work on the machine only ever drives the two apart: what agrees once, agrees. */
const ATTEMPTS = 5;

/** Some milliseconds a call: beside them, what Python adds to one does not count. */
function model(): Uint8Array {
  const net = trainedModel('resnet', { inputShape: [24, 24, 3], options: { depth: 8 } });
  return encodeModel(lowerToOnnx(inferenceGraph(net, true)));
}

/** Medians in Python, one session each time that it is asked. */
function timedInPython(file: string): { readonly next: () => Promise<number>; readonly end: () => void } {
  const script = path.join(process.cwd(), 'test/conformance/latency_time.py');
  const args = [script, file, 'x', `${THREADS}`, `${TURN_MS}`, `${BATCH},24,24,3`];
  const child = spawn(pythonPath(), args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => {
    child.stdin.write('\n');
    const { value, done } = (await lines.next()) as IteratorResult<string, undefined>;
    if (done === true) throw new Error('latency_time.py has ended');
    return Number(value);
  };
  return { next, end: () => child.stdin.end() };
}

it("onnxruntime's latency is the one that Python measures of the same file on as many threads, within 10 %", async () => {
  const bytes = model();
  const file = path.join(folder(), 'model.onnx');
  await writeFile(file, bytes);
  const source = sourceOf({ name: 'model.onnx', bytes }, { batchSizes: [BATCH], threads: [THREADS] });
  const python = timedInPython(file);
  const ratios: number[] = [];
  try {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const [ours, theirs]: [number[], number[]] = [[], []];
      for (let turn = 0; turn < TURNS; turn++) {
        theirs.push(await python.next());
        const { rows } = await measureLatency([source], { budgetMs: TURN_MS });
        ours.push(rows[0]!.p50Ms);
      }
      ratios.push(median(ours) / median(theirs));
      if (Math.abs(ratios.at(-1)! - 1) < 0.1) break;
    }
  } finally {
    python.end();
  }
  console.log(`ours against Python's: ${ratios.map((ratio) => ratio.toFixed(3)).join(', ')}`);
  expect(Math.abs(ratios.at(-1)! - 1)).toBeLessThan(0.1);
});
