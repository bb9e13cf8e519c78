import { strToU8, unzipSync, zipSync } from 'fflate';
import { hasIdentifier, readFlatbuffer } from './flatbuffer/read.ts';
import { writeFlatbuffer } from './flatbuffer/write.ts';
import { metadataSchema } from './schema/metadata.ts';
import type { Fields } from './schema/notation.ts';
import type { TfliteModel } from './types.ts';

/** What an app reads out of the file: how to feed the model, and what its outputs mean. */
export interface ModelDescription {
  readonly name: string;
  readonly description?: string;
  readonly version?: string;
  readonly author?: string;
  readonly license?: string;
  readonly inputs?: Readonly<Record<string, InputDescription>>;
  /** Class names, one for each index of the first output's last axis. */
  readonly labels?: readonly string[];
}

export interface InputDescription {
  readonly description?: string;
  /** An image; pixels are normalized as (value - mean) / std, with one number for all channels or one for each. */
  readonly image?: {
    readonly colorSpace: 'rgb' | 'grayscale';
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
}

export const METADATA_NAME = 'TFLITE_METADATA';
const LABELS = 'labels.txt';
const COLOR = { rgb: 1, grayscale: 2 } as const;
const NORMALIZATION = 'NormalizationOptions';

/** The metadata flatbuffer `M001` that the standard tools read, for a model with these inputs and outputs. */
export function encodeMetadata(
  description: ModelDescription,
  inputs: readonly string[],
  outputs: readonly string[],
): Uint8Array {
  const labels = { name: LABELS, description: 'Class names, one a line.', type: 2 };
  return writeFlatbuffer(metadataSchema, {
    name: description.name,
    ...only(description, ['description', 'version', 'author', 'license']),
    subgraphMetadata: [
      {
        inputTensorMetadata: inputs.map((name) => inputMetadata(name, description.inputs?.[name])),
        outputTensorMetadata: outputs.map((name, i) => ({
          name,
          ...(i === 0 && description.labels !== undefined ? { associatedFiles: [labels] } : {}),
        })),
      },
    ],
    minParserVersion: '1.0.0',
  });
}

function inputMetadata(name: string, input: InputDescription = {}): Fields {
  const { image } = input;
  if (image === undefined) return { name, ...only(input, ['description']) };
  return {
    name,
    ...only(input, ['description']),
    content: { contentProperties: { type$: 'ImageProperties', colorSpace: COLOR[image.colorSpace] } },
    processUnits: [{ options: { type$: NORMALIZATION, mean: image.mean, std: image.std } }],
  };
}

function only(from: object, keys: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(from).filter(([key, value]) => keys.includes(key) && value !== undefined));
}

/** The file with the labels appended as a zip archive, which is where the tools look for associated files. */
export function appendLabels(bytes: Uint8Array, labels: readonly string[]): Uint8Array {
  // A fixed date keeps the bytes the same from run to run; stored, not deflated, since readers map the file.
  const zip = zipSync(
    { [LABELS]: strToU8(labels.map((label) => `${label}\n`).join('')) },
    { level: 0, mtime: '1980-01-01T12:00:00' },
  );
  const out = new Uint8Array(bytes.length + zip.length);
  out.set(bytes);
  out.set(shifted(zip, bytes.length), bytes.length);
  return out;
}

/** A zip archive that begins at `by` in its file: offsets in the central directory count from the start of the file. */
function shifted(zip: Uint8Array, by: number): Uint8Array {
  const out = zip.slice();
  const view = new DataView(out.buffer);
  const end = out.length - 22;
  let entry = view.getUint32(end + 16, true);
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    view.setUint32(entry + 42, view.getUint32(entry + 42, true) + by, true);
    entry +=
      46 + view.getUint16(entry + 28, true) + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  view.setUint32(end + 16, view.getUint32(end + 16, true) + by, true);
  return out;
}

/** The metadata table of a model, if it has one that can be read. */
export function decodeMetadata(model: TfliteModel): Fields | undefined {
  const entry = model.metadata?.find(({ name }) => name === METADATA_NAME);
  const data = entry && model.buffers[entry.buffer]?.data;
  return data && hasIdentifier(metadataSchema, data) ? readFlatbuffer(metadataSchema, data) : undefined;
}

const SMALL = 1 << 20;

/** Text files packed behind the model, by name: labels, vocabularies. Large or damaged ones are left out. */
export function associatedFiles(bytes: Uint8Array): Record<string, string> {
  try {
    const files = unzipSync(bytes, { filter: ({ originalSize, size }) => originalSize <= SMALL && size <= SMALL });
    return Object.fromEntries(Object.entries(files).map(([name, data]) => [name, new TextDecoder().decode(data)]));
  } catch {
    return {};
  }
}
