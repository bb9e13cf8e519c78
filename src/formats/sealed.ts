import { bytesOf, sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { safetensorsParts } from './safetensors.ts';
import type { Safetensors } from './safetensors.ts';

/** Content of a file. `head`: the bytes before the tensors, which follow in the order of the map. */
export interface SafetensorsFile extends Safetensors {
  readonly head: Uint8Array;
}

const SEAL = '0'.repeat(64);

/** Parts of a file with its own SHA-256 in the header, taken while that place holds zeros. */
export function seal({ tensors, metadata }: Safetensors): readonly Uint8Array[] {
  const [head, ...rest] = safetensorsParts({ tensors, metadata: { ...metadata, sha256: SEAL } });
  head.set(new TextEncoder().encode(sha256(head, ...rest)), placeOfSeal(head, SEAL));
  return [head, ...rest];
}

/** Content without its seal. `UserError` where the content differs from it. */
export function unseal({ head, tensors, metadata }: SafetensorsFile, file: string): Safetensors {
  const { sha256: claimed = '', ...rest } = metadata;
  const place = placeOfSeal(head, claimed);
  const zeros = new TextEncoder().encode(SEAL);
  const body = [...tensors.values()].map(({ data }) => bytesOf(data));
  const actual = place < 0 ? '' : sha256(head.subarray(0, place), zeros, head.subarray(place + SEAL.length), ...body);
  if (claimed.length !== SEAL.length || actual !== claimed) {
    throw new UserError(`${file}: damaged: its checksum does not fit its content`, 'Remove the file.');
  }
  return { tensors, metadata: rest };
}

function placeOfSeal(head: Uint8Array, value: string): number {
  const key = '"sha256":"';
  const place = Buffer.from(head.buffer, head.byteOffset, head.length).indexOf(`${key}${value}"`);
  return place < 0 ? -1 : place + key.length;
}
