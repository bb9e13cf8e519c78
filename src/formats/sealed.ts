import { bytesOf, sha256 } from '../base/bytes.ts';
import { UserError } from '../base/errors.ts';
import { readSafetensors, writeSafetensors } from './safetensors.ts';
import type { Safetensors } from './safetensors.ts';

const SEAL = '0'.repeat(64);

/** The file with its own SHA-256 inside, taken while that place holds zeros. */
export function seal({ tensors, metadata }: Safetensors): Uint8Array {
  const bytes = writeSafetensors({ tensors, metadata: { ...metadata, sha256: SEAL } });
  bytes.set(new TextEncoder().encode(sha256(bytes)), placeOfSeal(bytes, SEAL));
  return bytes;
}

/** `UserError` for a file whose content differs from its seal. */
export function unseal(bytes: Uint8Array, file: string): Safetensors {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const { sha256: claimed = '', ...rest } = metadata;
  const place = placeOfSeal(bytes, claimed);
  const zeros = new TextEncoder().encode(SEAL);
  const actual = place < 0 ? '' : sha256(bytes.subarray(0, place), zeros, bytesOf(bytes.subarray(place + SEAL.length)));
  if (claimed.length !== SEAL.length || actual !== claimed) {
    throw new UserError(`${file}: damaged: its checksum does not fit its content`, 'Remove the file.');
  }
  return { tensors, metadata: rest };
}

function placeOfSeal(bytes: Uint8Array, value: string): number {
  const key = '"sha256":"';
  const place = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(`${key}${value}"`);
  return place < 0 ? -1 : place + key.length;
}
