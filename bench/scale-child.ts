/**
 * One process of one measurement: `node scale-child.js NET BATCH STEPS THREADS SHARDS`, by itself or under mpirun; rank 0 prints a JSON line.
 * SHARDS 0: the step of the whole batch in one program, as without mpirun. Under mpirun each process then trains by itself, beside the others,
 * and the time is the median of the steps of all of them while all were at work: the bound that memory and clock of the machine set.
 */
import '../src/features.ts';
import * as tf from '@tensorflow/tfjs-core';
import { ownLaunch } from '../src/base/process/environment.ts';
import { createLoss } from '../src/distill/losses/registry.ts';
import { layersNetwork } from '../src/networks/layers/layers.ts';
import { networkParameters } from '../src/networks/network.ts';
import type { PendingCall, Collectives } from '../src/run/processes/collectives.ts';
import { evaluator } from '../src/runtime/onnxruntime/evaluator.ts';
import { sharingIn } from '../src/run/processes/processes.ts';
import { connections } from '../src/run/processes/connections.ts';
import { createOnnxRuntimeEngine } from '../src/runtime/onnxruntime/engine.ts';
import { classification } from '../src/answers/classes/task.ts';
import { setEvaluator } from '../src/trace/evaluate.ts';
import { install } from '../src/trace/install.ts';
import { gradientProgram, updateProgram } from '../src/train/step/gradient.ts';
import { Trainer } from '../src/train/loop.ts';
import { createOptimizer } from '../src/train/optimizers/optimizers.ts';
import { trainingProgram } from '../src/train/step/step.ts';
import { buildNet, netOf } from './nets.ts';
import { median } from './processes.ts';
import { samplesOf } from './program.ts';

const name = process.argv[2]!;
const net = netOf(name);
const [batchSize, steps, threads, shards] = process.argv.slice(3, 7).map(Number) as [number, number, number, number];
const WARM = 10;

const own = ownLaunch();
const connect = own && (await connections.load(own.launcher));
const opened = connect?.(own!.launch, { seconds: 120, place: `process id ${process.pid}` });
let gatherMs = 0;
const group: Collectives | undefined = opened && {
  ...opened,
  get waitedSeconds() {
    return opened.waitedSeconds;
  },
  allgather: (own) => talking(() => opened.allgather(own)),
  barrier: () => talking(() => opened.barrier()),
  beginAlltoall: (own, all) => waited(talking(() => opened.beginAlltoall(own, all))),
  beginAllgather: (own, all) => waited(talking(() => opened.beginAllgather(own, all))),
};

function waited(begun: PendingCall): PendingCall {
  return { wait: () => talking(() => begun.wait()) };
}

function talking<T>(call: () => T): T {
  const start = performance.now();
  const all = call();
  gatherMs += performance.now() - start;
  return all;
}

install();
setEvaluator(evaluator);
await tf.setBackend('limbeck');
if (net.kind !== 'labels') throw new Error(`${name}: its loss is of pixels, which no task of a recipe has`);
const { x, labels } = samplesOf(name, net, batchSize);
const batch = { x: x as Float32Array, targets: labels as Int32Array, teacher: {} };
const network = layersNetwork(buildNet(name));
const loss = await createLoss('ce');
const optimizer = createOptimizer({ type: 'adam' }, network.trainable);
const task = classification(net.classes);
const common = { network, task, loss, optimizer };
const trainer = await Trainer.create({
  engine: createOnnxRuntimeEngine({ device: 'cpu', threads }),
  program: (samples) => trainingProgram({ ...common, batchSize: samples }),
  ...(shards > 0 && {
    parts: {
      ...{ samples: batchSize, shards, sharing: group && sharingIn(group) },
      gradient: (samples: number) => gradientProgram({ ...common, batchSize: samples }),
      update: (parts: Parameters<typeof updateProgram>[1]) => updateProgram({ ...common, batchSize }, parts),
    },
  }),
  ...{ batchSize, task, stepsPerEpoch: steps + WARM, steps: steps + WARM, optimizer, schedule: () => 1e-3 },
  batches: () => Array.from({ length: steps + WARM }, () => batch),
  hyper: () => loss.hyper,
});
const times: number[] = [];
let [before, gatherBefore, waitedBefore] = [0, 0, 0];
let done = 0;
for await (const { position } of trainer.run()) {
  // Processes that share nothing are to be measured at the same time.
  if (shards === 0 && position.step === WARM) opened?.barrier();
  const now = performance.now();
  if (position.step > WARM) times.push(now - before);
  else [gatherBefore, waitedBefore] = [gatherMs, opened?.waitedSeconds ?? 0];
  before = now;
  done = position.step;
}
const atOnce = opened && shards === 0 ? stepsAtOnce(opened, times) : times;
if (opened === undefined || opened.rank === 0)
  console.log(
    JSON.stringify({
      ...{ net: name, steps: done - WARM, ms_per_step: median(atOnce), parameters: networkParameters(network) },
      gather_ms: (gatherMs - gatherBefore) / steps,
      waited_ms: (1000 * ((opened?.waitedSeconds ?? 0) - waitedBefore)) / steps,
    }),
  );
opened?.barrier();
opened?.finish();

/** Milliseconds of the steps of all processes that ended before the first process had done its last. All began at once. */
function stepsAtOnce(group: Collectives, own: readonly number[]): number[] {
  const all = group.allgather(Float32Array.from(own));
  const ofEach = Array.from({ length: group.size }, (_, rank) => [
    ...all.subarray(rank * own.length, (rank + 1) * own.length),
  ]);
  const endsOf = (steps: readonly number[]): number[] => {
    let end = 0;
    return steps.map((ms) => (end += ms));
  };
  const firstEnd = Math.min(...ofEach.map((steps) => endsOf(steps).at(-1)!));
  return ofEach.flatMap((steps) => {
    const ends = endsOf(steps);
    return steps.filter((_, i) => ends[i]! <= firstEnd);
  });
}
