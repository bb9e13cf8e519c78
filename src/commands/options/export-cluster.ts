import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { ShippedModel, Target } from '../../ship/cluster/model.ts';
import type { CommandContext } from '../context.ts';
import { printJson } from '../context.ts';
import { SERVER_FOLDER } from './consumers.ts';

interface ClusterArgs {
  readonly model: string | undefined;
  readonly device: string;
  readonly image: string | undefined;
  readonly force: boolean;
}

interface Written {
  readonly folder: string;
  readonly files: readonly string[];
}

/** `export RUN --triton DIR` and its like: writes a model of a run for inference servers on other machines. `folders`: by the names of the servers. */
export async function exportForCluster(
  run: string,
  folders: ReadonlyMap<string, string>,
  args: ClusterArgs,
  context: CommandContext,
): Promise<void> {
  const { writeInto } = await import('../../ship/cluster/write.ts');
  const target = args.device as Target;
  const { image } = args;
  const { model, precision } = await shippedModel(run, args.model, target);
  const written: Written[] = [];
  const skipped: { what: string; why: string }[] = [];
  for (const [server, given] of folders) {
    const settings = { folder: given, run, target, precision, image };
    const { folder, files, skipped: left } = await SERVER_FOLDER.of(server).filesOf(model, settings);
    skipped.push(...left);
    await writeInto(folder, files, args.force);
    written.push({ folder, files: [...files.keys()] });
  }
  if (context.json) {
    printJson(context, { model: model.name, written, skipped });
    return;
  }
  if (model.curve === undefined)
    context.note(`no latency of two sizes of batch was measured on ${target}: limbeck bench ${path.basename(run)}\n`);
  if (!model.joins) context.note(`requests are not put together: ${model.alone}\n`);
  for (const { what, why } of skipped) context.note(`left out: ${what}: ${why}\n`);
  for (const { folder, files } of written) context.out(`${folder}: ${files.join(', ')}\n`);
}

async function shippedModel(
  run: string,
  id: string | undefined,
  target: Target,
): Promise<{ model: ShippedModel; precision: string }> {
  const { exportedModel } = await import('../../folder/report/finished.ts');
  const { readOnnx } = await import('../../files/onnx-file.ts');
  const { inOnePiece } = await import('../../formats/onnx/large.ts');
  const { examine } = await import('../../measure/batching/examine.ts');
  const { curveOf } = await import('../../ship/cluster/curve.ts');
  const { checkedName, CLUSTERS, MEASURED_ON } = await import('../../ship/cluster/model.ts');
  const { row, file } = await exportedModel(run, id);
  if (row.format !== 'onnx')
    throw new UserError(`${file}: expected an ONNX file, received ${row.format}`, 'Name another model with --model.');
  const base = path.basename(path.resolve(run));
  const name = checkedName(id === undefined || id === 'distilled' ? base : `${base}-${id}`);
  const bytes = inOnePiece(await readOnnx(file), file, CLUSTERS);
  const { facts, labels } = examine(bytes, file);
  const { inputs, outputs, batching, notes } = facts;
  const alone = notes[0]?.replace(/^not batched: /, '') ?? 'the file takes batches of one size only';
  return {
    model: {
      name,
      bytes,
      inputs,
      outputs,
      joins: batching.kind === 'any',
      ...(batching.kind !== 'any' && { alone }),
      ...(labels !== undefined && { labels }),
      ...(row.usual !== undefined && { usual: row.usual }),
      curve: curveOf(row.latency, MEASURED_ON[target]),
    },
    precision: row.precision,
  };
}
