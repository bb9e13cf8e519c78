import { labelsText } from '../../formats/tflite/metadata/archive.ts';
import type { ShippedModel } from '../../ship/cluster/model.ts';
import type { Files } from '../../ship/cluster/write.ts';
import { LABELS, tritonConfig } from './config.ts';
import type { ConfigOptions } from './config.ts';
import { pbtxt } from './pbtxt.ts';

/** The folder of a model in Triton's repository: `config.pbtxt`, `1/model.onnx`, its labels. */
export function tritonFiles(model: ShippedModel, options: ConfigOptions): Files {
  const files = new Map<string, Uint8Array | string>([
    ['config.pbtxt', heading(model) + pbtxt(tritonConfig(model, options))],
    ['1/model.onnx', model.bytes],
  ]);
  if (model.labels !== undefined) files.set(LABELS, labelsText(model.labels));
  return files;
}

function heading({ curve, joins, alone }: ShippedModel): string {
  const lines: string[] = [];
  if (!joins) lines.push(`Requests are not put together: ${alone ?? 'the file has no batch of any size'}.`);
  if (curve === undefined) {
    lines.push('The report has no latency for two sizes of batch on such a device, so no size of batch is preferred.');
  } else {
    const { fixedMs, perSampleMs, sizes, threads, device } = curve;
    const where = `${device}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, batches of ${sizes.join(', ')}`;
    lines.push(
      `A call of n samples takes ${fixedMs.toPrecision(4)} + ${perSampleMs.toPrecision(4)} * n ms (${where}).`,
    );
  }
  return lines.map((line) => `# ${line}\n`).join('');
}
