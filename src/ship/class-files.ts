import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { inputsByName } from '../data/inputs.ts';
import { graphOf } from '../graph/builder.ts';
import type { Graph, Node } from '../graph/types.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import { taskOf } from '../tasks/registry.ts';
import { idOf } from '../report/artifact.ts';
import type { ShipContext } from './context.ts';
import type { ExportedModel } from './export.ts';
import type { ModelFile } from './model-file.ts';
import { beyondBudget } from './parity/budgets.ts';
import { inParts } from './parity/check-file.ts';
import type { Reference } from './parity/check-file.ts';
import { LikenessTally } from './parity/likeness.ts';
import { openFileRunner } from './parity/runners.ts';
import type { Write } from './write.ts';

/** A file that answers with the class of each pixel, beside the file with the logits that these are made of. */
export interface ClassFile extends ModelFile {
  /** Name of the file in measurements. */
  readonly name: string;
  readonly samples: number;
  /** Share of the pixels of these samples that have the class which the logits of the other file give. */
  readonly equalPixels: number;
}

/** Output of such a file. */
const CLASSES = 'classes';

/** Samples on which the two files are compared. */
const COMPARED = 64;

/**
 * Writes a file that answers with classes beside each file with logits; by the id of that file. `UserError` where their classes differ by more than the
 * precision allows.
 */
export async function writeClassFiles(
  context: ShipContext,
  files: readonly ExportedModel[],
  write: Write,
): Promise<Map<string, ClassFile>> {
  const { size } = taskOf(context.data.validation).masks!;
  const made = new Map<string, ClassFile>();
  for (const logits of files) {
    const file = logits.file.replace(/(\.\w+)$/, `-${CLASSES}$1`);
    context.onEvent({ type: 'stage', stage: `export ${file}` });
    const start = monotonicMs();
    const { bytes } = logits.make(withClasses(logits.graph, size), CLASSES);
    const { format, precision, reference } = logits;
    const likeness = await compared(context, reference, logits, { file, bytes, format, precision });
    await write(file, bytes);
    await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes: bytes.length });
    made.set(idOf(logits), { ...{ file, bytes, format, precision }, name: `${idOf(logits)}-${CLASSES}`, ...likeness });
  }
  return made;
}

/**
 * The graph with the class of each pixel as its answer, uint8 [batch, height, width]: the logits [batch, rows, columns, classes] are resized
 * bilinearly between the centres of cells, and the first of the largest is taken.
 */
function withClasses(graph: Graph, size: readonly [height: number, width: number]): Graph {
  const [logits] = graph.outputs.values();
  const [, rows, columns] = graph.types.get(logits!)!.shape;
  const [large, indexes, classes] = ['resized', 'indexes', 'pixels'].map((name) => `${CLASSES}/${name}`);
  const isFull = rows === size[0] && columns === size[1];
  const step = (op: string, input: string, attrs: Node['attrs'], output: string): Node => {
    return { op, inputs: [input], attrs, outputs: [output], layer: CLASSES };
  };
  const resize = step('ResizeBilinear', logits!, { size, alignCorners: false, halfPixelCenters: true }, large!);
  const nodes = [
    ...graph.nodes,
    ...(isFull ? [] : [resize]),
    step('ArgMax', isFull ? logits! : large!, { axis: 3 }, indexes!),
    step('Cast', indexes!, { dtype: 'uint8' }, classes!),
  ];
  return graphOf({ ...graph, nodes, outputs: new Map([[CLASSES, classes!]]) });
}

/** Share of equal pixels between the masks that logits come to and those of the other file. */
async function compared(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  reference: Reference,
  logits: ModelFile,
  file: ModelFile,
): Promise<Pick<ClassFile, 'samples' | 'equalPixels'>> {
  const { masks } = taskOf(data.validation);
  const session = sessionOptionsOf(recipe);
  const [expected, actual] = [await openFileRunner(logits, session), await openFileRunner(file, session)];
  const tally = new LikenessTally(CLASSES);
  let samples = 0;
  try {
    for (const { x, shape, inputs } of inParts(reference)) {
      const n = Math.min(shape[0]!, COMPARED - samples);
      if (n <= 0) break;
      const some = x.subarray(0, (x.length / shape[0]!) * n);
      const feeds = inputsByName(some, n, { sampleShape: shape.slice(1), inputs });
      const [[cells], [given]] = [Object.values(await expected.run(feeds)), Object.values(await actual.run(feeds))];
      for (let row = 0; row < n; row++) {
        const mask = Float64Array.from(masks!.given(cells!.data as Float32Array, row));
        const own = given!.data.subarray(row * mask.length, (row + 1) * mask.length);
        const one = { shape: [1, mask.length], isInteger: true };
        tally.add({ ...one, data: mask }, { ...one, data: own });
      }
      samples += n;
    }
  } finally {
    expected.dispose();
    actual.dispose();
  }
  const likeness = tally.result();
  const beyond = beyondBudget(likeness, file.precision);
  if (beyond === undefined) return { samples, equalPixels: likeness.top1Agreement ?? 1 };
  throw new UserError(
    `${file.file}: its classes differ from those of the logits of ${logits.file} on ${samples} samples: ${beyond}`,
    'The file was not written. Leave out `outputs: classes`, or report this with the recipe.',
  );
}
