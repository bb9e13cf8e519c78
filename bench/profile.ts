/**
 * Where the time of a training step goes, from ONNX Runtime's profiler: `npm run bench:step -- --profile --only cnn`, or
 * `npm run bench:profile -- [--only cnn] [--batch 128] [--steps 20] [--threads 2] [--json FILE] [--file NET.onnx]`.
 *
 * First by kind, beside the floor: what the products take at the machine's rate of matrix products, or the bytes that each node of
 * the graph reads and writes at its rate of memory. Of each node the fastest call counts, which other load disturbs least. Then the operators of ONNX, then the nodes, which have the names of
 * `--dump-graph`. FILE is the trace of one call after the other, for Perfetto or chrome://tracing.
 */
import '../src/features.ts';
import { inBlocks } from '../src/formats/onnx/lower/blocked/table.ts';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { GraphBuilder } from '../src/graph/builder.ts';
import { collectSums } from '../src/graph/passes/step/collect-sums.ts';
import { splitUpdates } from '../src/graph/passes/step/split-updates.ts';
import type { Attrs, Graph, Node } from '../src/graph/types.ts';
import { blockSize } from '../src/runtime/onnxruntime/block-size.ts';
import { createOnnxRuntimeEngine, sessionOptions } from '../src/runtime/onnxruntime/engine.ts';
import { OnnxRuntimeStep } from '../src/runtime/onnxruntime/step.ts';
import { traceProgram } from '../src/trace/trace.ts';
import type { Machine } from './kinds.ts';
import { floors, kindOf, KINDS } from './kinds.ts';
import { netOf } from './nets.ts';
import { table } from './processes.ts';
import { benchStep } from './program.ts';
import { timed } from './timing.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: 'cnn' },
    batch: { type: 'string' },
    steps: { type: 'string', default: '20' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
    file: { type: 'string' },
  },
});
const net = netOf(options.only);
const [batchSize, steps, threads] = [
  Number(options.batch ?? net.batch),
  Number(options.steps),
  Number(options.threads),
];
const folder = mkdtempSync(path.join(tmpdir(), 'limbeck-profile-'));

interface Event {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

try {
  const machine = await measuredMachine();
  const { graph, ms } = await run();
  const [file] = readdirSync(folder);
  const trace = path.join(folder, file!);
  if (options.json !== undefined) copyFileSync(trace, options.json);
  print(JSON.parse(readFileSync(trace, 'utf8')) as Event[], graph, ms, machine);
} finally {
  rmSync(folder, { recursive: true });
}

/**
 * Through the same runtime: products of 1024×1024 matrices, and sums of as many numbers as in caches and in memory, of which the fastest counts. The
 * time of a chain of one node is taken off that of a longer chain: it is for handing over inputs and outputs.
 */
async function measuredMachine(): Promise<Machine> {
  const ofChain = async (nodes: number, op: string, size: number, attrs: Attrs): Promise<number> => {
    const builder = new GraphBuilder();
    const [a, b] = ['a', 'b'].map((name) => builder.input(name, { dtype: 'float32', shape: [size, size] }));
    let last = a!;
    for (let i = 0; i < nodes; i++) last = builder.op(op, [last, b!], { ...attrs });
    builder.output('c', last);
    const step = await createOnnxRuntimeEngine({ device: 'cpu', threads }).compileGraph(builder.build(), new Map());
    const feed = new Float32Array(size * size).fill(1 / size);
    const { fastest_ms: ms } = await timed(() => step.run({ a: feed, b: feed }), 20);
    await step.dispose();
    return ms / 1000;
  };
  const each = async (op: string, size: number, attrs = {}): Promise<number> =>
    ((await ofChain(9, op, size, attrs)) - (await ofChain(1, op, size, attrs))) / 8;
  const product = await each('BatchMatMul', 1024, { transposeA: false, transposeB: false });
  let bytes = 0;
  for (const size of [256, 512, 1024, 4096]) bytes = Math.max(bytes, (3 * 4 * size ** 2) / (await each('Add', size)));
  return { flops: (2 * 1024 ** 3) / product, bytes };
}

/** The steps of one session; its trace is written when it ends. */
async function run(): Promise<{ readonly graph: Graph; readonly ms: number }> {
  const { program, feedsAt } = await benchStep(options.only, net, batchSize, undefined, options.file);
  const graph = collectSums(traceProgram(program));
  const initial = new Map(
    await Promise.all(
      Array.from(
        graph.state,
        async ([name, type]) => [name, { type, data: await program.state[name]!.data() }] as const,
      ),
    ),
  );
  const size = blockSize();
  const session = {
    ...sessionOptions('cpu', { threads }),
    ...{ enableProfiling: true, profileFilePrefix: path.join(folder, 'step') },
  };
  const lowering = size === undefined ? {} : { blocked: inBlocks(size) };
  const step = new OnnxRuntimeStep(graph, initial, session, {}, lowering, undefined, true);
  let ms = Infinity;
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    step.runSync(feedsAt(i), i);
    ms = Math.min(ms, performance.now() - start);
  }
  await step.dispose();
  return { graph: splitUpdates(graph)?.rest ?? graph, ms };
}

function print(events: readonly Event[], graph: Graph, ms: number, machine: Machine): void {
  const nodes = fastestOf(events.filter(({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time')));
  const session = fastestOf(events.filter(({ name }) => name === 'model_run'))[0]?.dur ?? 0;
  const all = nodes.reduce((sum, { dur }) => sum + dur, 0);
  const sums = (key: (event: Event) => string): Map<string, number> => {
    const found = new Map<string, number>();
    for (const event of nodes) found.set(key(event), (found.get(key(event)) ?? 0) + event.dur / 1000);
    return found;
  };
  const shown = (found: Map<string, number>): string[][] =>
    [...found]
      .sort(([, a], [, b]) => b - a)
      .map(([name, each]) => [name, each.toFixed(3), ((each * 100 * 1000) / all).toFixed(1)]);
  const nodeOf = places(graph);
  const kinds = sums(({ name, args }) => {
    const node = nodeOf(name.replace(/^fused |_kernel_time$/g, ''));
    return node === undefined ? 'other' : kindOf(node, args?.op_name);
  });
  const least = floors(graph, machine);
  const outside: [string, number][] = [
    ['updates of variables, and calls', ms - session / 1000],
    ['between kernels', (session - all) / 1000],
  ];
  const row = (name: string, each: number, floor?: number): string[] => [
    ...[name, each.toFixed(2), ((100 * each) / ms).toFixed(1), floor === undefined ? '-' : floor.toFixed(2)],
  ];
  console.log(
    `${options.only}, batch ${batchSize}, ${threads} threads: ${ms.toFixed(2)} ms a step; the machine multiplies at ` +
      `${(machine.flops / 1e9).toFixed(0)} GFLOP/s and reads and writes ${(machine.bytes / 1e9).toFixed(0)} GB/s\n`,
  );
  console.log(
    table(
      ['kind', 'ms', '%', 'floor'],
      [
        ...KINDS.filter((kind) => kinds.has(kind)).map((kind) => row(kind, kinds.get(kind)!, least.get(kind))),
        ...outside.map(([name, each]) => row(name, each)),
      ],
    ),
  );
  console.log(`\n${table(['operator', 'ms', '%'], shown(sums(({ args }) => args?.op_name ?? '?')))}`);
  const named = sums(({ name, args }) => `${name.replace(/_kernel_time$/, '')} (${args?.op_name ?? '?'})`);
  console.log(`\n${table(['node', 'ms', '%'], shown(named).slice(0, 30))}\n`);
}

function fastestOf(events: readonly Event[]): Event[] {
  const fastest = new Map<string, Event>();
  for (const event of events) {
    const known = fastest.get(event.name);
    if (known === undefined || event.dur < known.dur) fastest.set(event.name, event);
  }
  return [...fastest.values()];
}

/** The node of the graph that a node in ONNX comes from: its name begins with where that was lowered. */
function places(graph: Graph): (name: string) => Node | undefined {
  const byName = new Map(
    graph.nodes.map((node) => [
      node.layer === undefined ? node.outputs[0]! : `${node.layer}/${node.outputs[0]!}`,
      node,
    ]),
  );
  return (name) => {
    for (let at = name; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('/')))) {
      const node = byName.get(at) ?? byName.get(at.replace(/(_new_reshape|_token_\d+)$/, ''));
      if (node !== undefined) return node;
    }
    return undefined;
  };
}
