import { RandomStream } from '../../base/random.ts';
import { lowerToOnnx } from '../../formats/onnx/lower.ts';
import { onnxContent } from '../../formats/onnx/protobuf.ts';
import type { Constant, Graph } from '../../graph/types.ts';
import { sessionOptionsOf } from '../../runtime/recipe-options.ts';
import type { ModelFile } from '../model-file.ts';
import { compareOn } from '../parity/compare.ts';
import type { OutputLikeness } from '../../convert/likeness.ts';
import { openFileRunner } from '../parity/runners.ts';
import type { Feeds } from '../parity/file-runner.ts';

/** Distance of 1 to the next number. */
const EPSILON: Partial<Record<ModelFile['precision'], number>> = { fp32: 2 ** -23, fp16: 2 ** -10 };

/** Roundings that a probability may be off by: ONNX Runtime computes a sigmoid as a half and a rest, to 1.5e-7. */
const ROUNDINGS = 2;

/** Decibels by which another order of sums may be further off than weights that are rounded once more. */
const MARGIN_DB = 12;

/** Outputs whose error is no more than the rounding of the values that the source computes them from, as of a difference of two large ones. */
export async function roundedOff(
  graph: Graph,
  outputs: readonly OutputLikeness[],
  precision: ModelFile['precision'],
  batches: readonly Feeds[],
  weighted: () => Promise<{ readonly graph: Graph }>,
): Promise<ReadonlySet<string>> {
  const epsilon = EPSILON[precision];
  if (epsilon === undefined || outputs.length === 0) return new Set();
  const isShare = ({ output }: OutputLikeness): boolean => sharesIn(graph, graph.outputs.get(output)) === 'all';
  const shares = outputs.filter((one) => isShare(one) && one.largestError <= ROUNDINGS * epsilon);
  const found = new Set(shares.map(({ output }) => output));
  if (precision !== 'fp32' || found.size === outputs.length) return found;
  const rounded = await roundedAnew((await weighted()).graph, batches);
  for (const { output, sqnrDb } of outputs)
    if (sqnrDb !== null && sqnrDb >= (rounded.get(output) ?? Infinity) - MARGIN_DB) found.add(output);
  return found;
}

/** Signal to noise of the outputs of a graph whose weights are each off by less than a rounding. */
async function roundedAnew(graph: Graph, batches: readonly Feeds[]): Promise<ReadonlyMap<string, number | null>> {
  const random = new RandomStream('rounding');
  const moved = ({ type, data }: Constant): Constant => {
    if (!(data instanceof Float32Array) || data.length === 1) return { type, data };
    return { type, data: data.map((value) => value * (1 + (random.uniform() - 0.5) * 2 ** -22)) };
  };
  const other = { ...graph, constants: new Map([...graph.constants].map(([name, one]) => [name, moved(one)])) };
  const open = (of: Graph) =>
    openFileRunner(
      { file: 'rounding', bytes: onnxContent(lowerToOnnx(of)), format: 'onnx' },
      sessionOptionsOf({ device: 'cpu', threads: 0 }),
    );
  const [reference, rounded] = [await open(graph), await open(other)];
  try {
    const { outputs } = await compareOn(batches, reference, { ...rounded, file: 'rounding' });
    const names = [...graph.outputs.keys()];
    return new Map(outputs.map(({ sqnrDb }, i) => [names[i]!, sqnrDb]));
  } finally {
    reference.dispose();
    rounded.dispose();
  }
}

/** Share of probabilities among the parts of a value. */
export function sharesIn(graph: Graph, value: string | undefined): 'all' | 'some' | 'none' {
  const producer = graph.nodes.find(({ outputs }) => outputs.includes(value ?? ''));
  if (producer === undefined) return 'none';
  if (['Softmax', 'Sigmoid'].includes(producer.op)) return 'all';
  if (['Reshape', 'Transpose', 'Identity'].includes(producer.op)) return sharesIn(graph, producer.inputs[0]);
  if (producer.op !== 'Concat') return 'none';
  const parts = producer.inputs.map((part) => sharesIn(graph, part));
  if (parts.every((part) => part === 'all')) return 'all';
  return parts.every((part) => part === 'none') ? 'none' : 'some';
}
