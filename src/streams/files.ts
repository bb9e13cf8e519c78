import { monotonicMs } from '../base/clock.ts';
import { UserError } from '../base/errors.ts';
import { STREAMS } from '../base/streams.ts';
import { STREAM_FORM } from '../convert/streams.ts';
import { inputsByName } from '../data/inputs.ts';
import { sizedContent } from '../files/onnx-file.ts';
import { macsOf } from '../graph/macs.ts';
import { streamFormats } from '../recipe/schema/export.ts';
import { idOf } from '../report/artifact.ts';
import { sessionOptionsOf } from '../runtime/recipe-options.ts';
import type { ShipContext } from '../ship/context.ts';
import type { StreamFile, WriteStreams } from '../ship/convert/streams.ts';
import type { ExportedModel } from '../ship/export.ts';
import type { ModelFile } from '../ship/model-file.ts';
import { inParts } from '../ship/parity/check-file.ts';
import { compareOn } from '../ship/parity/compare.ts';
import { openFileRunner } from '../ship/parity/runners.ts';
import { beyondBudget } from '../convert/budgets.ts';
import { taskOf } from '../tasks/registry.ts';
import { numbersKept, streamCheck } from './check.ts';
import { streamOf } from './graph/stream.ts';

export const streamFiles: WriteStreams = async (context, files, write) => {
  const form = await STREAM_FORM.load(STREAMS);
  const formats = streamFormats(context.recipe.export);
  const [float] = files as [ExportedModel];
  const all = new Map<string, StreamFile>();
  for (const whole of files.filter(({ format }) => formats.includes(format))) {
    const { format, precision } = whole;
    const file = whole.file.replace(/(\.\w+)$/, '-stream$1');
    context.onEvent({ type: 'stage', stage: `export ${file}` });
    const start = monotonicMs();
    const made = form.streamGraph(whole.graph, format);
    const bytes = sizedContent(file, whole.make(made.graph, undefined, { ...made, storePasts: form.storePasts }).bytes);
    const stream = { file, bytes, format, precision };
    const compared = await compare(context, float, whole, stream);
    await write(file, bytes);
    const sizeBytes = bytes.length;
    await context.done(`export ${file}`, (monotonicMs() - start) / 1000, { file, sizeBytes });
    const { hop, window, graph } = streamOf(whole.graph);
    const row = { file, sizeBytes, hop, window, kept: numbersKept(graph), macs: macsOf(graph), ...compared };
    all.set(idOf(whole), { ...stream, name: `${idOf(whole)}-stream`, row });
  }
  return all;
};

/** Comparison of the answers hop by hop with those of the float file to the windows. */
async function compare(
  { recipe, data }: Pick<ShipContext, 'recipe' | 'data'>,
  float: ExportedModel,
  { graph, format, reference }: ExportedModel,
  stream: ModelFile,
): Promise<Pick<StreamFile['row'], 'samples' | 'largestError' | 'sqnrDb' | 'agreement'>> {
  const session = sessionOptionsOf(recipe);
  const task = taskOf(data.validation);
  const check = streamCheck(graph, format);
  const given = inParts(reference).map(({ x, shape, inputs }) =>
    inputsByName(x, shape[0]!, { sampleShape: shape.slice(1), inputs }),
  );
  const source = await openFileRunner(float, session);
  const hops = await check.open(stream, session);
  const classOutput = task.classes && { classes: task.classes.length, output: task.fields[0]!.name };
  const asked = { file: stream.file, outputs: hops.outputs, run: hops.run.bind(hops) };
  const { samples, outputs } = await compareOn(check.windows(given), source, asked, classOutput).finally(() => {
    source.dispose();
    hops.dispose();
  });
  const beyond = outputs.flatMap((output) => beyondBudget(output, stream.precision) ?? []);
  if (beyond.length > 0)
    throw new UserError(
      `${stream.file}: its answers hop by hop differ from those of ${float.file} to ${samples} windows: ${beyond.join('; ')}`,
      'The file was not written. Take the stream out of `export`, or report this with the recipe.',
    );
  const { largestError, sqnrDb, top1Agreement } = outputs[0]!;
  return {
    samples,
    largestError,
    ...(Number.isFinite(sqnrDb) && { sqnrDb: sqnrDb! }),
    ...(top1Agreement !== null && { agreement: top1Agreement }),
  };
}
