import path from 'node:path';
import type { CalibrationSamples } from '../../compress/quantize/observe.ts';
import { STREAMS } from '../../base/streams.ts';
import { STREAM_FORM } from '../../convert/streams.ts';
import { writeFrom } from '../../convert/write.ts';
import type { Made } from '../../convert/write.ts';
import { fieldsIn } from '../../files/stated.ts';
import { openerFor } from '../../runtime/recipe-options.ts';
import { descriptionFrom, formIn, loadDescription } from '../description.ts';
import type { ConvertOptions } from './options.ts';
import type { ConvertSource } from './source.ts';

export function nameOfSource(from: string): string {
  return path.basename(path.resolve(from)).replace(/\.(onnx|json|keras|h5|hdf5)$/, '');
}

/** The file, written from the source in the format and precision that are asked for, described by what the source says of its answers. */
export async function make(source: ConvertSource, samples: CalibrationSamples, options: ConvertOptions): Promise<Made> {
  const { graph, metadata: stated } = source;
  await loadDescription(formIn(stated));
  const name = nameOfSource(options.from);
  return writeFrom(
    source,
    samples,
    { ...options, name, stream: options.stream === true ? await STREAM_FORM.load(STREAMS) : undefined },
    {
      open: openerFor({ device: 'cpu', threads: 0 }),
      describe: (metadata) => descriptionFrom(name, metadata, [...graph.inputs.keys()][0]!),
      answers: stated.get('output') === 'values' ? 'values' : 'logits',
      fields: fieldsIn(stated) ?? [],
    },
  );
}
