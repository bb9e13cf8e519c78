import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { netOf } from '../../bench/nets.ts';
import { benchStep } from '../../bench/program.ts';
import { bytesOf } from '../../src/base/bytes.ts';
import type { State } from '../../src/runtime/engine.ts';
import { createOnnxRuntimeEngine } from '../../src/runtime/onnxruntime.ts';
import { runPython } from './python.ts';

/** A step from our own weights, beside PyTorch's step from the same weights in float64; relative errors. */
interface Step {
  readonly loss: number;
  readonly gradient: number;
  /** What PyTorch in float32 has. */
  readonly gradient32: number;
  /** Largest error of a weight's update by Adam from our gradients, in learning rates. */
  readonly update: number;
}

interface Compared {
  readonly steps: readonly Step[];
  /** Losses before each step and after the last. */
  readonly losses: {
    readonly ours: readonly number[];
    readonly float32: readonly number[];
    readonly float64: readonly number[];
  };
  /** Loss after the last step in float64 from weights that were moved by a float32 rounding each, relative to that without. */
  readonly moved: readonly number[];
}

const [BATCH, STEPS] = [Number(process.env['RESNET18_BATCH'] ?? 4), 5];

const folder = mkdtempSync(path.join(tmpdir(), 'conformance-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Writes the state to be read by PyTorch: tensors by name, one behind the other. */
function keep(state: State, i: number): void {
  const entries = [...state].sort(([a], [b]) => (a < b ? -1 : 1));
  const index = entries.map(([name, { type }]) => ({ name, shape: type.shape }));
  writeFileSync(path.join(folder, 'index.json'), JSON.stringify(index));
  writeFileSync(path.join(folder, `state${i}.bin`), Buffer.concat(entries.map(([, { data }]) => bytesOf(data))));
}

/**
 * Five steps of Adam amplify roundings: its first step moves every weight by the learning rate, in the direction of a sign that for small
 * gradients rounding decides, and batch norm over few samples passes that on. So losses after five steps differ between any two programs,
 * and between PyTorch's own precisions. What must agree is each step from the same weights.
 */
it('every one of five steps of Adam with ResNet-18 is the step that PyTorch makes from the same weights', async () => {
  const net = netOf('resnet18');
  const { program, feedsAt } = await benchStep('resnet18', net, BATCH);
  const step = await createOnnxRuntimeEngine({ device: 'cpu', threads: 1 }).compile(program);
  const losses: number[] = [];
  for (let i = 0; i <= STEPS; i++) {
    keep(await step.state(), i);
    losses.push(Number((await step.run(feedsAt(i)))['loss']![0]));
  }
  await step.dispose();
  const { x, labels } = feedsAt(0);
  writeFileSync(path.join(folder, 'x.bin'), bytesOf(x!));
  writeFileSync(path.join(folder, 'about.json'), JSON.stringify({ losses, labels: [...(labels as Int32Array)] }));
  const compared = runPython('resnet18_steps.py', folder) as Compared;
  console.log(JSON.stringify(compared, null, 1));
  for (const { loss, gradient, update } of compared.steps) {
    expect(loss).toBeLessThan(1e-5);
    expect(gradient).toBeLessThan(1e-3);
    expect(update).toBeLessThan(1e-4);
  }
}, 600_000);
